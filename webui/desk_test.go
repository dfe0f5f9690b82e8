package webui

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/peers"
)

// lies says how many configs the desk's memory holds, without looking at any.
func (d *desk) lies() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.papers)
}

func TestWhatLiesOnTheDeskIsForgottenThoughNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		d.put("owner", "anna", paper{config: hide("secret")})
		time.Sleep(onDesk - time.Nanosecond)
		synctest.Wait()
		if d.lies() != 1 {
			t.Error("it was forgotten too early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if d.lies() != 0 {
			t.Error("memory holds it longer than ten minutes")
		}

		d.put("owner", "anna", paper{})
		d.stay("owner", "anna", true)
		time.Sleep(lateWord)
		d.leave("owner", "anna")
		time.Sleep(leavingFor)
		synctest.Wait()
		if d.lies() != 0 {
			t.Error("memory holds it longer than ten seconds after its page was left")
		}
	})
}

func TestComingBackDoesNotMakeItLieLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		first := d.put("owner", "anna", paper{})
		for range 100 {
			d.leaveAllBut("owner", "")
			time.Sleep(leavingFor - time.Second)
			if on, ok := d.stay("owner", "anna", true); ok != time.Now().Before(first.until) || ok && !on.until.Equal(first.until) {
				t.Fatalf("at %v: %v until %v, want until %v", time.Now(), ok, on.until, first.until)
			}
		}
	})
}

func TestTheDeskIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk()
		for i := range 3 * deskSize {
			d.put("owner", fmt.Sprint(i), paper{})
			time.Sleep(time.Second)
		}
		if n := d.lies(); n != deskSize {
			t.Errorf("%d lie there", n)
		}
		if _, ok := d.read("owner", fmt.Sprint(3*deskSize-1)); !ok {
			t.Error("the newest was pushed off")
		}
	})
}

func TestAPhoneHasOneCodeAndAHolderItsOwn(t *testing.T) {
	d := newDesk()
	d.put("owner", "anna", paper{fileName: "old"})
	d.put("partner", "ben", paper{})
	d.put("partner", "anna", paper{fileName: "new"})
	if _, ok := d.read("owner", "anna"); ok {
		t.Error("the code that became void is still shown")
	}
	d.forget("owner")
	if _, ok := d.read("partner", "ben"); !ok {
		t.Error("somebody else's session took it away")
	}
	d.forget("partner")
	if d.lies() != 0 {
		t.Error("a session has ended, and its codes lie there")
	}
	d.clear()
}

func TestAConfigHidesFromEveryWayOfPrinting(t *testing.T) {
	p := paper{config: hide("PrivateKey=secret")}
	l := &lying{paper: p}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p", "%t"} {
		fmt.Fprintf(&out, verb, p)
		fmt.Fprintf(&out, verb, &p)
		fmt.Fprintf(&out, verb, *l)
		fmt.Fprintf(&out, verb, p.config)
		fmt.Fprintf(&out, verb, struct{ hidden paper }{p})
		fmt.Fprintf(&out, verb, map[string]configText{"": p.config})
	}
	slog.New(slog.NewTextHandler(&out, nil)).Info("test", "config", p.config, "paper", p)
	slog.New(slog.NewJSONHandler(&out, nil)).Info("test", "config", p.config, "paper", p)
	if b, err := json.Marshal(p.config); err != nil || strings.Contains(string(b), "secret") {
		t.Errorf("%s %v", b, err)
	}
	if got := out.String(); strings.Contains(got, "secret") || strings.Contains(got, fmt.Sprintf("%x", "secret")) {
		t.Error(got)
	}
	if p.config.reveal() != "PrivateKey=secret" {
		t.Error("there is no way out at all")
	}
}

func TestLinksAreBoundedAndLookAlikeToNobody(t *testing.T) {
	l := newLinks()
	seen := map[string]bool{}
	for i := range 3 * linksSize {
		token, _ := l.issue(peers.Peer{ID: fmt.Sprint(i)})
		if len(token) != 32 || seen[token] {
			t.Fatalf("%q", token)
		}
		seen[token] = true
		for h := range l.of {
			if strings.Contains(string(h[:]), token) {
				t.Fatal("the link itself is kept")
			}
		}
	}
	if len(l.of) > linksSize {
		t.Errorf("%d links wait", len(l.of))
	}
}

func TestALinkThatIsGivenBackEndsNoNewerOne(t *testing.T) {
	l := newLinks()
	first, _ := l.issue(peers.Peer{ID: "anna"})
	taken, ok := l.take(first)
	if !ok {
		t.Fatal("it cannot be spent")
	}
	second, _ := l.issue(peers.Peer{ID: "anna"})
	l.giveBack(first, taken)
	if _, ok := l.take(first); ok {
		t.Error("two links for one phone")
	}
	if _, ok := l.take(second); !ok {
		t.Error("the newer link was lost")
	}
}
