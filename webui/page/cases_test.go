package page

import (
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/webui/words"
)

// find is the first element that the test wants, or nil.
func find(root *html.Node, wanted func(*html.Node) bool) *html.Node {
	for n := range elements(root) {
		if wanted(n) {
			return n
		}
	}
	return nil
}

func sampled(t testing.TB, name string) sample {
	t.Helper()
	all := samples(t)
	i := slices.IndexFunc(all, func(s sample) bool { return s.name == name })
	if i < 0 {
		t.Fatalf("there is no sample %s", name)
	}
	return all[i]
}

// TestACodeThatIsGoneIsAnotherThing is what the script goes by: while data-live stays the same, what has the focus is left
// alone; once it differs, a code goes from the screen whatever has the focus.
func TestACodeThatIsGoneIsAnotherThing(t *testing.T) {
	live := func(name string) string {
		stage := find(parse(t, render(t, sampled(t, name))), func(n *html.Node) bool { return value(n, "id") == "stage" })
		if stage == nil {
			t.Fatalf("%s has no stage", name)
		}
		return value(stage, "data-live")
	}
	if a, b := live("scan"), live("scan-late"); a != b {
		t.Errorf("the same code is %q at first and %q later", a, b)
	}
	for _, name := range []string{"scan-gone", "scan-connected", "scan-connected-home"} {
		if live(name) == live("scan") {
			t.Errorf("%s has data-live=%q, as with the code", name, live(name))
		}
	}
}

func TestNoDataIsOneLine(t *testing.T) {
	for _, days := range [][]Day{nil, {{Date: now}}, {{Date: now.AddDate(0, 0, -1)}, {Date: now}}} {
		s := sampled(t, "portal")
		m := s.model.(Portal)
		m.Days = days
		s.model = m
		got := string(render(t, s))
		if !strings.Contains(got, "No data yet.") || strings.Contains(got, "<svg class=\"chart\"") || strings.Contains(got, "<table") {
			t.Errorf("%d days without data are shown otherwise than by one line", len(days))
		}
	}
	if got := string(render(t, sampled(t, "portal"))); strings.Contains(got, "No data yet.") || !strings.Contains(got, "<svg class=\"chart\"") {
		t.Error("days with data are not drawn")
	}
}

// TestAStrangerIsToldNoVersion holds the end of the page for a frame without one.
func TestAStrangerIsToldNoVersion(t *testing.T) {
	s := sampled(t, "signin")
	isFooter := func(n *html.Node) bool { return n.Data == "footer" }
	if end := find(parse(t, render(t, s)), isFooter); end == nil || text(end) != "Hearthgate "+s.frame.Version {
		t.Error("the version is not at the end of the page")
	}
	s.frame.Version = ""
	if end := find(parse(t, render(t, s)), isFooter); end != nil {
		t.Errorf("without a version the page ends with %q", text(end))
	}
}

func TestAnAppThatSpeaksEnglishIsQuotedInEnglish(t *testing.T) {
	for l, want := range map[words.Language]string{
		words.English: "<strong>Add a tunnel</strong>",
		words.Dutch:   `<strong lang="en">Add a tunnel</strong>`,
		words.German:  "<strong>Tunnel hinzufügen</strong>",
	} {
		v := &view{Catalogue: words.For(l)}
		if got := string(v.TapIn("scan.iphone.add")); got != want {
			t.Errorf("%s: %s, want %s", l, got, want)
		}
	}
}

func TestProblemsStandWhereTheyArose(t *testing.T) {
	v := testView()
	for problem, want := range map[string]string{
		"": "", ProblemNoChoice: "services", ProblemNoService: "services", ProblemNameTaken: "name", ProblemExpiry: "expires", ProblemNoEndpoint: "form",
	} {
		if got := v.Where(problem); got != want {
			t.Errorf("%q stands at %q, want %q", problem, got, want)
		}
	}
}

// TestAWrongCodeMayHaveBeenEither: a wrong recovery code is not told to wait for the next one.
func TestAWrongCodeMayHaveBeenEither(t *testing.T) {
	for problem, want := range map[string]string{"": "", ProblemCode: ProblemEitherCode, ProblemRecovery: ProblemRecovery, ProblemPending: ProblemPending} {
		if got := testView().OfEither(problem); got != want {
			t.Errorf("%q is told as %q, want %q", problem, got, want)
		}
	}
	s := sampled(t, "code-wrong")
	if got := testView().Trouble(ProblemEitherCode, 0); !strings.Contains(text(parse(t, render(t, s))), got) {
		t.Errorf("the page does not say %q", got)
	}
	s.model = SignInCode{Wait: 40 * time.Second}
	if find(parse(t, render(t, s)), func(n *html.Node) bool { return value(n, "id") == "problem" }) == nil {
		t.Error("who has to wait is not told")
	}
}

// TestTheLockIsTheExposures: beside a service it would say something about the internet.
func TestTheLockIsTheExposures(t *testing.T) {
	v := testView()
	var locks []string
	for _, is := range []health.Verdict{health.Unverified, health.Closed, health.Exposed} {
		locks = append(locks, v.Lock(Exposure{Report: health.Report{Verdict: is}}).Icon)
	}
	for _, state := range []string{"up", "down", "unknown"} {
		if m := v.ServiceState(state); slices.Contains(locks, m.Icon) || icons[m.Icon] == "" {
			t.Errorf("a service that is %s has the icon %q", state, m.Icon)
		}
	}
}
