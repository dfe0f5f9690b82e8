package webui

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

func (h *phoneHouse) happen(n int, kind journal.Type, peer string) {
	h.t.Helper()
	err := h.store.Update(func(tx *store.Tx) error {
		for i := range n {
			e := journal.Event{Type: kind, PeerID: peer, PeerName: "=cmd()\r\n<script>", Message: fmt.Sprintf("%s %d", kind, i)}
			if err := h.cfg.Journal.RecordTx(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func TestTheJournalIsReadBackwardsAPageAtATime(t *testing.T) {
	h := newPhoneHouse(t)
	h.happen(130, journal.PeerConnected, "anna")
	h.happen(300, journal.ServiceAdded, "")
	h.happen(70, journal.PeerConnected, "ben")
	all, err := h.cfg.Journal.Recent(0)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []eventFilter{{}, {kind: "peer"}, {kind: "service"}, {kind: "peer", phone: "anna"}, {phone: "ben"}, {kind: "nonsense"}, {kind: "pee"}} {
		want := 0
		for _, e := range all {
			kind, _, _ := strings.Cut(string(e.Type), ".")
			if (f.kind == "" || f.kind == kind) && (f.phone == "" || f.phone == e.PeerID) {
				want++
			}
		}
		got, before, last := 0, uint64(0), all[len(all)-1].Seq+1
		for {
			events, err := h.newestEvents(f, before, eventsPerPage)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if e.Seq >= last || !f.wants(e) {
					t.Fatalf("%+v: %+v after %d", f, e, last)
				}
				last = e.Seq
			}
			got += len(events)
			if len(events) < eventsPerPage {
				break
			}
			before = last
		}
		if got != want {
			t.Errorf("%+v: %d events, want %d", f, got, want)
		}
	}
}

func TestTheJournalsPageLeadsToWhatIsOlder(t *testing.T) {
	h := newPhoneHouse(t)
	h.happen(60, journal.ServiceAdded, "")
	b := h.owner()
	w := b.get("/journal?kind=service")
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "before=") || strings.Contains(w.Body.String(), "<script>\"") {
		t.Errorf("%d\n%s", w.Code, text(w))
	}
	if w := b.get("/journal?kind=account"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "before=") {
		t.Errorf("%d: there is nothing older", w.Code)
	}
	for target, status := range map[string]int{"/journal?before=many": 400, "/journal?before=-1": 400, "/journal?before=1": 200, "/journal?before=999999": 200} {
		if w := b.get(target); w.Code != status {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
}

func TestTheJournalIsExportedALineToAnEvent(t *testing.T) {
	h := newPhoneHouse(t)
	h.happen(600, journal.PeerConnected, "anna")
	h.happen(3, journal.ServiceAdded, "")
	w := h.owner().get("/journal.jsonl?kind=peer&phone=anna")
	if w.Header().Get("Content-Disposition") != `attachment; filename="hearthgate-journal.jsonl"` {
		t.Errorf("%q", w.Header())
	}
	lines, last := 0, uint64(0)
	for s := bufio.NewScanner(w.Body); s.Scan(); lines++ {
		var e journal.Event
		if err := json.Unmarshal(s.Bytes(), &e); err != nil || e.Seq <= last || e.PeerID != "anna" {
			t.Fatalf("line %d: %v %s", lines, err, s.Text())
		}
		last = e.Seq
	}
	if lines != 600 {
		t.Errorf("%d lines", lines)
	}
	if w := h.stranger().get("/journal.jsonl"); w.Code != http.StatusSeeOther || strings.Contains(w.Body.String(), "seq") {
		t.Errorf("a stranger reads it: %d", w.Code)
	}
}
