package homeassistant

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestWarningsAreToldOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		trusted := inspection{known: true, warnings: []Warning{trustedNetworksWarning(netip.MustParseAddr("192.168.1.2"))}}
		w.put(greenBox)
		w.closer["192.168.1.5:8123"] = trusted
		w.start("")
		w.pass(time.Hour)
		if st := w.finder.State(); !has(st.Warnings, TrustedNetworks) {
			t.Errorf("state %+v, want the warning", st)
		}
		events := w.wantEvents(found, warning)
		wantWords(t, events[1].Message, "192.168.1.2", "without a password", "trusted_networks")
		if events[1].Data["code"] != TrustedNetworks {
			t.Errorf("event data %v", events[1].Data)
		}

		// A question that comes to nothing leaves what is known, and so does being away.
		w.change(func() { w.closer["192.168.1.5:8123"] = inspection{} })
		w.pass(30 * time.Minute)
		if !has(w.finder.State().Warnings, TrustedNetworks) {
			t.Error("the warning went although nobody said so")
		}
		w.change(func() { w.remove(greenBox) })
		w.pass(time.Minute)
		w.change(func() { w.put(greenBox); w.closer["192.168.1.5:8123"] = trusted })
		w.pass(time.Minute)
		w.wantEvents(found, warning, lost, found)

		// Put right in Home Assistant, and then broken again.
		w.change(func() { delete(w.closer, "192.168.1.5:8123") })
		w.pass(11 * time.Minute)
		if st := w.finder.State(); len(st.Warnings) != 0 {
			t.Errorf("warnings %v, want none any more", st.Warnings)
		}
		w.change(func() { w.closer["192.168.1.5:8123"] = trusted })
		w.pass(11 * time.Minute)
		w.wantEvents(found, warning, lost, found, warning)
	})
}

// A question that comes to nothing is asked again before long: Home Assistant is slow while it starts.
func TestWarningsAreAskedForAgain(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.closer["192.168.1.5:8123"] = inspection{}
		w.start("")
		w.pass(15 * time.Second)
		w.wantEvents(found)
		w.change(func() {
			w.closer["192.168.1.5:8123"] = inspection{known: true, warnings: []Warning{notOnboardedWarning(Target{"http", "192.168.1.5", 8123})}}
		})
		w.pass(75 * time.Second)
		w.wantEvents(found, warning)
	})
}

// Another Home Assistant has its own faults, even if they are the same.
func TestWarningsOfAnotherOne(t *testing.T) {
	inWorld(t, func(w *world) {
		trusted := inspection{known: true, warnings: []Warning{trustedNetworksWarning(netip.MustParseAddr("192.168.1.2"))}}
		w.closer["192.168.1.5:8123"], w.closer["192.168.1.6:8123"] = trusted, trusted
		w.put(greenBox)
		f := w.start("")
		w.pass(15 * time.Second)
		w.change(func() { w.put(otherBox) })
		if err := f.Use(w.t.Context(), "192.168.1.6:8123"); err != nil {
			t.Fatal(err)
		}
		w.wantEvents(found, warning, moved, warning)
	})
}

// A ban is not a loss: Home Assistant is there, and says no.
func TestBannedIsNotLost(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(greenBox)
		w.start("")
		w.pass(15 * time.Second)
		w.change(func() { w.answers["192.168.1.5:8123"] = banned })
		w.pass(11 * time.Second)
		w.wantFound("192.168.1.5:8123")
		if st := w.finder.State(); !has(st.Warnings, Banned) {
			t.Errorf("warnings %v, want banned at the first look", st.Warnings)
		}
		w.pass(time.Hour)
		events := w.wantEvents(found, warning)
		wantWords(t, events[1].Message, "192.168.1.2", "ip_bans.yaml")

		w.change(func() { w.answers["192.168.1.5:8123"] = itself })
		w.pass(11 * time.Second)
		if st := w.finder.State(); len(st.Warnings) != 0 {
			t.Errorf("warnings %v, want none after the ban was lifted", st.Warnings)
		}
	})
}

// Before the first find there is no telling who refuses us, but it is worth a word.
func TestBannedBeforeTheFirstFind(t *testing.T) {
	inWorld(t, func(w *world) {
		w.put(onThisPi)
		w.answers["127.0.0.1:8123"] = banned
		w.start("")
		w.pass(time.Minute)
		w.wantNowhere(Searching, "http://127.0.0.1:8123", "403", "ip_bans.yaml")
	})
}

// The texts are shown to a household: at most two or three sentences, and no word of ours that they cannot know.
func TestWarningTexts(t *testing.T) {
	for _, warning := range []Warning{
		trustedNetworksWarning(netip.Addr{}), bannedWarning(netip.Addr{}), notOnboardedWarning(Target{"http", "192.168.1.5", 8123}),
	} {
		if n := strings.Count(warning.Text, ". ") + 1; n > 3 || len(warning.Text) > 320 || !strings.HasSuffix(warning.Text, ".") {
			t.Errorf("%s: %d sentences, %d characters: %q", warning.Code, n, len(warning.Text), warning.Text)
		}
		if strings.Contains(warning.Text, "invalid IP") {
			t.Errorf("%s: %q", warning.Code, warning.Text)
		}
	}
}

// The state is contract: lists are lists also when they are empty.
func TestStateAsJSON(t *testing.T) {
	inWorld(t, func(w *world) {
		f := w.start("")
		text, err := json.Marshal(f.State())
		if err != nil {
			t.Fatal(err)
		}
		wantWords(t, string(text), `"phase":"searching"`, `"warnings":[]`, `"candidates":[]`, `"since":"`, `"reason":"Home Assistant has not`)
	})
}
