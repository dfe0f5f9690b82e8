package main

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/webui/api"
)

func TestTheExitCodeIsNeverThatOfClosedWhileARoundGoesOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state    api.ExposureState
		complete bool
		code     int
		says     string
	}{
		{api.ExposureClosed, true, 0, "CLOSED: "},
		{api.ExposureClosed, false, 2, "UNVERIFIED: "},
		{api.ExposureExposed, true, 1, "EXPOSED: "},
		{api.ExposureExposed, false, 1, "EXPOSED: "},
		{api.ExposureUnverified, true, 2, "UNVERIFIED: "},
		{api.ExposureUnverified, false, 2, "UNVERIFIED: "},
		{"", true, 2, ""},
	} {
		var out strings.Builder
		p := &program{name: "hearthgate", stdout: &out}
		in := checked{Exposure: api.Exposure{State: c.state, Until: time.Now().Add(time.Hour)}, Complete: c.complete}
		if got := in.exitCode(); got != c.code {
			t.Errorf("%q, complete %t: %d, want %d", c.state, c.complete, got, c.code)
		}
		if err := p.printCheck(in); err != nil || !strings.HasPrefix(out.String(), c.says) {
			t.Errorf("%q, complete %t: %v %q", c.state, c.complete, err, out.String())
		}
		if strings.Contains(out.String(), "It counts until") != (c.code == 0) {
			t.Errorf("%q, complete %t: %q", c.state, c.complete, out.String())
		}
	}
}

// TestNothingIsSaidTwice: several ports make one line, and so do several reasons with the same words.
func TestNothingIsSaidTwice(t *testing.T) {
	t.Parallel()
	now := time.Now()
	sighting := func(port uint16, after time.Duration) api.Sighting {
		return api.Sighting{
			Round: "r", Vantage: health.Witness, From: "tower", Family: health.IPv4, Address: netip.MustParseAddr("11.0.0.2"), Port: port,
			State: health.PortFiltered, Why: health.NoAnswer, Text: "Nothing answered.", At: now.Add(after),
		}
	}
	in := checked{Complete: true, Exposure: api.Exposure{
		State: api.ExposureUnverified, Reasons: []string{"It is so.", "It is so."}, NextText: "Is it running?",
		Findings: []api.ExposureReason{{Text: "It is so."}, {Text: "Another."}, {Text: "Another."}},
	}, Seen: []api.Sighting{
		sighting(443, time.Second), sighting(8123, 0),
		{Round: "r", Vantage: health.Router, From: "the router", Family: health.IPv4, Why: health.NothingThere, Text: "Nothing.", At: now},
	}}
	var out strings.Builder
	if err := (&program{name: "hearthgate", stdout: &out}).printCheck(in); err != nil {
		t.Fatal(err)
	}
	for _, once := range []string{"It is so.", "Another.", "witness tower", "443,8123", "Next: Is it running?\n", "router  "} {
		if n := strings.Count(out.String(), once); n != 1 {
			t.Errorf("%q stands there %d times:\n%s", once, n, out.String())
		}
	}
}
