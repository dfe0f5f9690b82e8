package house_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hearthgate/hearthgate"

// stairs says for each part of the house what it may import of the others, and why. A part is the longest prefix of a
// package's path that stands here. Everybody may import its own part's packages and, unless forbidden, internal.
var stairs = []struct {
	part string
	may  []string
	why  string
}{
	{"cmd", []string{"tunnel", "peers", "health", "webui", "firmware", "internal"}, "main builds the rooms and joins them"},
	{"webui", []string{"peers", "health", "internal"}, "pages show peers and verdicts; the rest comes as interfaces"},
	{"tunnel", []string{"peers", "internal"}, "the tunnel serves peers; it takes their types"},
	{"tunnel/gate", []string{"tunnel/link", "internal"}, "the gate stands on the link's stack and is told its policy; it does not look up peers"},
	{"tunnel/link", nil, "packets know neither peers nor state"},
	{"tunnel/endpoint", []string{"internal"}, "how phones find us has nothing to do with who they are"},
	{"peers", []string{"internal"}, "who may come in does not depend on how"},
	{"health", []string{"internal"}, "a verdict must not depend on the tunnel whose owner it reassures"},
	{"firmware", []string{"internal"}, "the image is built around the product, not into it"},
	{"internal", []string{"internal"}, "small parts that serve the rooms above; none of them knows a room"},
}

// inward lists the few imports inside one part that have a direction too.
var inward = map[string][]string{
	"internal/store":   {"internal/key"},
	"internal/journal": {"internal/store"},
	"internal/clock":   {"internal/store"},
	"internal/netinfo": {},
	"internal/key":     {},
}

func TestImportsRunDownTheStairs(t *testing.T) {
	seen := 0
	for path, imports := range goFiles(t) {
		seen++
		from := partOf(path)
		if from == "" {
			t.Errorf("%s stands in no part of the house; see docs/ARCHITECTURE.md", path)
			continue
		}
		test := strings.HasSuffix(path, "_test.go")
		for _, target := range imports {
			if test && strings.HasPrefix(target, "internal/") {
				continue // tests may use the lab and the stand-in
			}
			if reason := forbidden(filepath.ToSlash(filepath.Dir(path)), from, target); reason != "" {
				t.Errorf("%s imports %s: %s", path, target, reason)
			}
		}
	}
	if seen < 50 {
		t.Fatalf("only %d Go files were found; the walk is broken", seen)
	}
}

func TestNobodyImportsMainOrThePage(t *testing.T) {
	for path, imports := range goFiles(t) {
		for _, target := range imports {
			if strings.HasPrefix(target, "cmd/") {
				t.Errorf("%s imports %s: nobody imports cmd", path, target)
			}
			if strings.HasPrefix(target, "webui") && !strings.HasPrefix(path, "cmd/") && !strings.HasPrefix(path, "webui/") {
				t.Errorf("%s imports %s: only cmd mounts the page", path, target)
			}
		}
	}
}

func TestTheProductRunsNoOtherProgram(t *testing.T) {
	for path, imports := range allImports(t) {
		if strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "internal/lab/") {
			continue
		}
		if slices.Contains(imports, "os/exec") {
			t.Errorf("%s imports os/exec: the product runs no shell, wg, ip or iptables", path)
		}
	}
}

func forbidden(dir, from, target string) string {
	if inner, ok := inward[dir]; ok && !slices.Contains(inner, target) {
		return "its imports inside the house are listed in this test"
	}
	to := partOf(target)
	if to == from || strings.HasPrefix(target, from+"/") || strings.HasPrefix(target+"/", from+"/") {
		return ""
	}
	for _, s := range stairs {
		if s.part != from {
			continue
		}
		for _, may := range s.may {
			if target == may || strings.HasPrefix(target, may+"/") {
				return ""
			}
		}
		return s.why
	}
	return "no rule for " + from
}

func partOf(path string) string {
	best := ""
	for _, s := range stairs {
		if (path == s.part || strings.HasPrefix(path, s.part+"/")) && len(s.part) > len(best) {
			best = s.part
		}
	}
	return best
}

// goFiles maps each Go file to what it imports of this module, both as paths from the top.
func goFiles(t *testing.T) map[string][]string {
	t.Helper()
	out := make(map[string][]string)
	for path, imports := range allImports(t) {
		out[path] = nil
		for _, i := range imports {
			if rest, ok := strings.CutPrefix(i, module+"/"); ok {
				out[path] = append(out[path], rest)
			}
		}
	}
	return out
}

func allImports(t *testing.T) map[string][]string {
	t.Helper()
	const top = "../.."
	out := make(map[string][]string)
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != top {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		rel, err := filepath.Rel(top, path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		out[filepath.ToSlash(rel)] = nil
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			out[filepath.ToSlash(rel)] = append(out[filepath.ToSlash(rel)], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
