package page

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestACodeIsDrawnAsItIs reads the drawing back.
func TestACodeIsDrawnAsItIs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for size := range 40 {
		want := make([][]bool, size)
		for y := range want {
			want[y] = make([]bool, size)
			for x := range want[y] {
				want[y][x] = random.IntN(3) > 0
			}
		}
		drawing := string(testView().QR(want, "a code"))
		got := undraw(t, drawing, size)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("size %d: %v became %v", size, want, got)
		}
	}
}

func undraw(t *testing.T, drawing string, size int) [][]bool {
	t.Helper()
	out := make([][]bool, size)
	for y := range out {
		out[y] = make([]bool, size)
	}
	for _, run := range regexp.MustCompile(`M\d+ \d+h\d+v1h-\d+z`).FindAllString(drawing, -1) {
		var x, y, wide, back int
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%dz", &x, &y, &wide, &back); err != nil || wide != back {
			t.Fatalf("run %q: %v", run, err)
		}
		for i := range wide {
			if out[y][x+i] {
				t.Fatalf("%d,%d is drawn twice", x+i, y)
			}
			out[y][x+i] = true
		}
	}
	return out
}

func TestACodesLabelIsText(t *testing.T) {
	for _, name := range hostile {
		drawing := string(testView().QR([][]bool{{true}}, name))
		if n := strings.Count(drawing, "<"); n != strings.Count(drawing, ">") || n != 4 {
			t.Errorf("%q made %s", name, drawing)
		}
	}
}

func TestTheChart(t *testing.T) {
	day := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name    string
		days    []Day
		heights []string
	}{
		{"nothing", []Day{{Date: day}, {Date: day}}, []string{"1", "1"}},
		{"the most is the whole height", []Day{{Date: day, Sent: 50}, {Date: day, Sent: 60, Received: 40}}, []string{"50", "100"}},
		{"little is seen", []Day{{Date: day, Sent: 1}, {Date: day, Sent: 1 << 40}}, []string{"3", "100"}},
	} {
		var got []string
		for _, m := range regexp.MustCompile(` height="(\d+)"/>`).FindAllStringSubmatch(string(testView().Chart(c.days)), -1) {
			got = append(got, m[1])
		}
		if fmt.Sprint(got) != fmt.Sprint(c.heights) {
			t.Errorf("%s: heights %v, want %v", c.name, got, c.heights)
		}
	}
	if testView().Chart(nil) != "" {
		t.Error("a chart of no days was drawn")
	}
}

func TestEveryIconThatIsNamedIsDrawn(t *testing.T) {
	for _, match := range regexp.MustCompile(`icon "([a-z]+)"`).FindAllStringSubmatch(sources(t), -1) {
		if icons[match[1]] == "" {
			t.Errorf("there is no icon %q", match[1])
		}
	}
	for _, s := range samples(t) {
		if strings.Contains(string(render(t, s)), `focusable="false"></svg>`) {
			t.Errorf("%s has an icon that is not drawn", s.name)
		}
	}
}

func TestBrowsersAreNamed(t *testing.T) {
	for agent, want := range map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36 Edg/156.0": "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:150.0) Gecko/20100101 Firefox/150.0":                                      "Firefox on Mac",
		"Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Mobile Safari/537.36":    "Chrome on Android",
		"Mozilla/5.0 (iPad; CPU OS 20_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/20.0 Safari/604.1":          "Safari on iPad",
		"curl/8.5":               "curl/8.5",
		"":                       "Unknown browser",
		strings.Repeat("x", 300): strings.Repeat("x", 80) + "…",
	} {
		if got := testView().Browser(agent); got != want {
			t.Errorf("%q is %q, want %q", agent, got, want)
		}
	}
}

func TestTheInviteLinkCarriesTheAddressInItsFragment(t *testing.T) {
	if got, want := InviteLink("http://10.77.0.1:8123"), "https://my.home-assistant.io/invite/#url=http%3A%2F%2F10.77.0.1%3A8123"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func BenchmarkHome(b *testing.B) {
	m := Home{Exposure: Exposure{Report: closedReport(), Port: 8123}, Remote: Remote{State: "ready"}, HomeAssistant: HomeAssistant{Phase: "found"}, PageNumber: 1, Pages: 10, Total: 1000}
	for i := range 100 {
		m.Phones = append(m.Phones, household[i%len(household)])
	}
	s := sample{"home", signedIn("/"), m}
	for b.Loop() {
		render(b, s)
	}
}

func BenchmarkScan(b *testing.B) {
	for _, s := range samples(b) {
		if s.name == "scan" {
			for b.Loop() {
				render(b, s)
			}
		}
	}
}
