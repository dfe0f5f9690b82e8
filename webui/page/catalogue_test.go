package page

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/webui/words"
)

func testView() *view {
	return &view{Frame: Frame{Now: now}, Catalogue: words.For(words.English)}
}

// composed are the keys that the program puts together, and where.
var composed = []*regexp.Regexp{
	regexp.MustCompile(`^journal\.(event|kind)\.`),                            // events.go, from the types of the journal
	regexp.MustCompile(`^warning\.`),                                          // states.go, from Home Assistant's codes
	regexp.MustCompile(`^scope\.`),                                            // choices.go
	regexp.MustCompile(`^failure\.`),                                          // signin.html, from the Failure constants
	regexp.MustCompile(`^exposure\.(closed|open|still_open|mapped)(_port)?$`), // lock.go
	regexp.MustCompile(`^exposure\.(reason|next|what)\.`),                     // lock.go, from health's codes and steps
	regexp.MustCompile(`^check\.(control|vantage)\.`),                         // check.go
	regexp.MustCompile(`^check\.past_(closed|exposed|unverified)$`),
	regexp.MustCompile(`^watch\.[a-z_]+_(why|reveals|on|off)$`), // switches.go
	regexp.MustCompile(`^phonecheck\.said\.`),                   // phonecheck.go, from the phone's outcomes
}

// own are the prefixes of the keys that package words needs itself.
var own = regexp.MustCompile(`^(time|unit|list)\.`)

var (
	quoted = regexp.MustCompile(`"([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+)"`)
	spoken = regexp.MustCompile(`\.(T|H|N|HN)[ (]"([^"]+)"`)
)

func sources(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, pattern := range []string{"templates/*.html", "*.go"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no files %s: %v", pattern, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			content, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			b.Write(content)
		}
	}
	return b.String()
}

func TestWhatIsSaidIsInTheCatalogue(t *testing.T) {
	keys := words.Keys()
	said := spoken.FindAllStringSubmatch(sources(t), -1)
	if len(said) < 300 {
		t.Fatalf("only %d sentences were found in the templates; the search is broken", len(said))
	}
	for _, match := range said {
		key := match[2]
		if strings.HasSuffix(key, ".") {
			continue // the rest is composed
		}
		wanted := []string{key}
		if strings.HasSuffix(match[1], "N") {
			wanted = []string{key + ".one", key + ".other"}
		}
		for _, k := range wanted {
			if !slices.Contains(keys, k) {
				t.Errorf("%s is said on a page and is not in en.json", k)
			}
		}
	}
}

func TestWhatIsInTheCatalogueIsSaid(t *testing.T) {
	used := make(map[string]bool)
	for _, match := range quoted.FindAllStringSubmatch(sources(t), -1) {
		used[match[1]] = true
	}
	for _, key := range words.Keys() {
		plural := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		if own.MatchString(key) || used[key] || used[plural] ||
			slices.ContainsFunc(composed, func(r *regexp.Regexp) bool { return r.MatchString(key) }) {
			continue
		}
		t.Errorf("%s is in en.json and nothing says it", key)
	}
}

// TestSentencesAreText is what view.H and the test of the whole page rely on.
func TestSentencesAreText(t *testing.T) {
	for _, l := range words.Languages() {
		for _, key := range words.Keys() {
			if sentence := words.For(l).T(key); strings.ContainsAny(sentence, "<>&\"'") || sentence == "" {
				t.Errorf("%s of %s is %q: it must be text that HTML shows as it is", key, l, sentence)
			}
		}
	}
}

var constant = regexp.MustCompile(`= "((?:problem|notice|exposure|failure)\.[a-z0-9_.]+)"`)

func TestEveryConstantHasItsSentence(t *testing.T) {
	content, err := os.ReadFile("problems.go")
	if err != nil {
		t.Fatal(err)
	}
	found := constant.FindAllStringSubmatch(string(content), -1)
	if len(found) < 60 {
		t.Fatalf("only %d constants were found; the search is broken", len(found))
	}
	for _, match := range found {
		wanted := []string{match[1]}
		if strings.HasPrefix(match[1], "failure.") {
			wanted = []string{match[1] + ".title", match[1] + ".text"}
		}
		for _, key := range wanted {
			if !slices.Contains(words.Keys(), key) {
				t.Errorf("%s has no sentence", key)
			}
		}
	}
}

// eventTypes are the types that the rooms record, read where they stand so that a new one is noticed here.
func eventTypes(t *testing.T) []string {
	t.Helper()
	var out []string
	typed := regexp.MustCompile(`= "([a-z_]+\.[a-z_]+)"`)
	for _, name := range []string{"../../internal/journal/event.go", "../account/events.go"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range typed.FindAllStringSubmatch(string(content), -1) {
			out = append(out, match[1])
		}
	}
	if len(out) < 20 {
		t.Fatalf("only %d types of events were found", len(out))
	}
	return out
}

func TestEveryEventHasASentence(t *testing.T) {
	v := testView()
	for _, eventType := range eventTypes(t) {
		row := JournalRow{Type: eventType, PeerName: "Anna", Message: "IN ENGLISH", Data: map[string]string{
			"target": "x", "service": "camera", "name": "x",
		}}
		if got := string(v.Event(row)); got == "IN ENGLISH" || strings.Contains(got, "{") {
			t.Errorf("%s is %q", eventType, got)
		}
	}
}

func TestEventSentences(t *testing.T) {
	v := testView()
	for _, c := range []struct {
		row  JournalRow
		want string
	}{
		{JournalRow{Type: "peer.added", PeerName: "Anna"}, "<bdi>Anna</bdi> was added."},
		{JournalRow{Type: "peer.added", Message: "somebody was added"}, "somebody was added"},
		{JournalRow{Type: "never.heard", Message: "a & b"}, "a &amp; b"},
		{JournalRow{Type: "never.heard"}, "never.heard"},
		{changed("disabled", "false", "true"), "<bdi>Anna</bdi> was paused."},
		{changed("disabled", "true", "false"), "<bdi>Anna</bdi> was resumed."},
		{changed("expires_at", "never", "2026-05-17T14:10:00Z"), "Access of <bdi>Anna</bdi> ends on <bdi>17 May 2026, 14:10</bdi>."},
		{changed("expires_at", "2026-05-17T14:10:00Z", "never"), "Access of <bdi>Anna</bdi> has no end."},
		{changed("services", "", "home-assistant admin"), "<bdi>Anna</bdi> may reach <bdi>Home Assistant and this page</bdi>."},
		{changed("services", "camera", ""), "<bdi>Anna</bdi> may reach nothing now."},
		{changed("name", "Ann", "Anna"), "<bdi>Ann</bdi> is now called <bdi>Anna</bdi>."},
	} {
		v.Catalogue = v.In(now.Location())
		if got := string(v.Event(c.row)); got != c.want {
			t.Errorf("%+v is %q, want %q", c.row, got, c.want)
		}
	}
}

func changed(what, from, to string) JournalRow {
	return JournalRow{Type: "peer.changed", PeerName: "Anna", Data: map[string]string{"change": what, "from": from, "to": to}}
}
