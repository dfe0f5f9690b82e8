package browser_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
	"github.com/hearthgate/hearthgate/internal/lab/browser"
)

// serve puts a page on the appliance that says who asks for what.
func serve(t *testing.T, l *lab.Lab) {
	t.Helper()
	at, err := l.Appliance.Listen(t.Context(), "tcp", ":51821")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, _, _ := net.SplitHostPort(r.RemoteAddr)
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<title>x</title><h1>%s asks %s</h1>", from, r.Host)
	})}
	go func() { _ = server.Serve(at) }()
	t.Cleanup(func() { server.Close() })
}

func TestOnAHostOfTheLab(t *testing.T) {
	l := lab.New(t)
	serve(t, l)
	beside := newSite(t)
	t.Run("one sees what the host sees", func(t *testing.T) {
		b := browser.Start(t, browser.On(l.Neighbour), browser.Resolve("hearthgate.local", l.Appliance.Addr4.String()))
		p := b.Page(t, browser.Options{})
		for _, c := range []struct{ at, says string }{
			{"192.168.77.10:51821", "192.168.77.30 asks 192.168.77.10:51821"},
			{"[2a77:db8:77::10]:51821", "2a77:db8:77::30 asks [2a77:db8:77::10]:51821"},
			{"appliance:51821", "asks appliance:51821"},
			{"hearthgate.local:51821", "192.168.77.30 asks hearthgate.local:51821"},
		} {
			p.Open("http://" + c.at + "/")
			if got := p.Text("h1"); !strings.HasSuffix(got, c.says) {
				t.Errorf("at %s the page says %q, expected %q", c.at, got, c.says)
			}
		}
		secure := true
		if p.Look(&secure, `() => isSecureContext`); secure {
			t.Error("a page on the LAN is a secure context, which no household's is")
		}
		if err := p.TryOpen(beside.URL); err == nil {
			t.Error("the browser reaches the test's own loopback from the host")
		}
	})
	if left := running(); len(left) > 0 {
		t.Errorf("when its test has ended, of the browser there still run %q", left)
	}
}

// running are the programs of browsers in this /proc, which the lab has to itself.
func running() []string {
	var found []string
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		text, _ := os.ReadFile(line)
		if program, _, _ := strings.Cut(string(text), "\x00"); strings.Contains(program, "chrom") {
			found = append(found, program)
		}
	}
	return found
}

// The script that fetches axe-core and the package that runs it agree on which.
func TestTheScriptFetchesWhatIsRun(t *testing.T) {
	ours, err := os.ReadFile("need.go")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile("../../../scripts/lab-axe")
	if err != nil {
		t.Fatal(err)
	}
	for constant, variable := range map[string]string{"axeVersion": "version", "axeSHA256": "sum"} {
		here := regexp.MustCompile(constant + ` += "([0-9a-f.]+)"`).FindSubmatch(ours)
		there := regexp.MustCompile(`(?m)^` + variable + `=([0-9a-f.]+)$`).FindSubmatch(script)
		if here == nil || there == nil || string(here[1]) != string(there[1]) {
			t.Errorf("%s is %q here, and %s is %q in the script", constant, here, variable, there)
		}
	}
}

// A verdict stands in for a test that is to be left out.
type verdict struct {
	testing.TB
	said string
}

func (v *verdict) Helper()      {}
func (v *verdict) Name() string { return "TestOfAPage" }
func (v *verdict) Skip(args ...any) {
	v.said = "skipped: " + fmt.Sprint(args...)
	runtime.Goexit()
}

func (v *verdict) Fatalf(format string, args ...any) {
	v.said = "failed: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestWithoutABrowserOrAxeATestIsLeftOut(t *testing.T) {
	t.Setenv("PATH", "")
	t.Setenv("HEARTHGATE_LAB_CACHE", t.TempDir())
	t.Setenv("HEARTHGATE_LEFT_OUT", "")
	for ci, want := range map[string]string{"": "skipped: ", "true": "failed: "} {
		t.Setenv("CI", ci)
		for reason, need := range map[string]func(testing.TB){
			"chromium is not installed": func(t testing.TB) { browser.Start(t) },
			"axe-core":                  browser.NeedAxe,
		} {
			v := &verdict{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				need(v)
			}()
			<-done
			if !strings.HasPrefix(v.said, want) || !strings.Contains(v.said, reason) {
				t.Errorf("with CI=%q, %s: %q", ci, reason, v.said)
			}
		}
	}
}
