package page

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/hearthgate/hearthgate/webui/words"
)

var gallery = flag.String("gallery", "", "a directory into which every sample page is written, to be looked at")

// TestGallery writes the samples where a browser can look at them: go test ./webui/page -run Gallery -gallery DIR, and
// then any file server on DIR.
func TestGallery(t *testing.T) {
	if *gallery == "" {
		return // nobody wants to look
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.MkdirAll(filepath.Join(*gallery, "assets"), 0o755))
	for name, a := range assets().byName {
		must(os.WriteFile(filepath.Join(*gallery, "assets", name), a.content, 0o644))
	}
	for _, s := range samples(t) {
		must(os.WriteFile(filepath.Join(*gallery, "live-"+s.name+".html"), render(t, s), 0o644)) // as it is, with its events
		for _, theme := range []string{"light", "dark"} {
			for _, l := range words.Languages() {
				s.frame.Theme, s.frame.Language, s.frame.Events = theme, l, ""
				must(os.WriteFile(filepath.Join(*gallery, s.name+"."+theme+"."+string(l)+".html"), render(t, s), 0o644))
			}
		}
	}
}

func render(t testing.TB, s sample) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := renderer(t).Render(&b, s.frame, s.model); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	return b.Bytes()
}

// parsed is one renderer for all tests: parsing and escaping the templates takes longer than any page.
var parsed = sync.OnceValues(New)

func renderer(t testing.TB) *Renderer {
	t.Helper()
	r, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	return r
}
