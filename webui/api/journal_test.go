package api

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// fill writes n events about two peers, with every third of another kind, and gives them all.
func (h *house) fill(n int) []journal.Event {
	h.t.Helper()
	err := h.store.Update(func(tx *store.Tx) error {
		for i := range n {
			e := journal.Event{Type: journal.PeerConnected, PeerID: fmt.Sprint("p", i%2), Message: fmt.Sprint(i)}
			if i%3 == 0 {
				e.Type = journal.ServiceAdded
			}
			if err := h.journal.RecordTx(tx, e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	all, err := h.journal.Recent(0)
	if err != nil {
		h.t.Fatal(err)
	}
	return all
}

// TestTheJournalAnswersWhatIsAskedFor compares with the plain way: take all events, leave out, cut.
func TestTheJournalAnswersWhatIsAskedFor(t *testing.T) {
	h := newHouse(t)
	all := h.fill(3 * journalPiece)
	last := all[len(all)-1].Seq
	for _, kind := range []string{"", "service.", "peer.conn", "nothing."} {
		for _, peer := range []string{"", "p1"} {
			for _, after := range []uint64{0, 1, 300, last - 1, last + 9} {
				for _, before := range []uint64{0, 1, 257, 302, last, last + 9} {
					for _, limit := range []int{1, 1000} {
						want := plainly(all, kind, peer, after, before, limit)
						path := fmt.Sprintf("/api/v1/journal?type=%s&peer=%s&after=%d&before=%d&limit=%d", kind, peer, after, before, limit)
						var got []journal.Event
						if err := json.Unmarshal(h.plain(path), &got); err != nil {
							t.Fatal(err)
						}
						if !slices.EqualFunc(got, want, func(a, b journal.Event) bool { return a.Seq == b.Seq && a.Message == b.Message }) {
							t.Fatalf("%s: %d events, want %d", path, len(got), len(want))
						}
					}
				}
			}
		}
	}
}

func plainly(all []journal.Event, kind, peer string, after, before uint64, limit int) (out []journal.Event) {
	for _, e := range all {
		is := kind == "" || string(e.Type) == kind || strings.HasSuffix(kind, ".") && strings.HasPrefix(string(e.Type), kind)
		if is && (peer == "" || e.PeerID == peer) && e.Seq > after && (before == 0 || e.Seq < before) {
			out = append(out, e)
		}
	}
	switch {
	case len(out) <= limit:
		return out
	case after != 0 && before == 0:
		return out[:limit]
	default:
		return out[len(out)-limit:]
	}
}

// plain asks without comparing the answer with openapi.yaml, which takes longer than the answer.
func (h *house) plain(path string) []byte {
	w := h.knock(Caller{Owner: true}, "GET", path)
	return w.Body.Bytes()
}

func TestTheJournalIsExportedWhole(t *testing.T) {
	h := newHouse(t)
	all := h.fill(2*journalPiece + 7)
	for _, how := range [][]string{{"/api/v1/journal?format=jsonl&limit=1"}, {"/api/v1/journal", "Accept", "text/html, application/jsonl"}} {
		w := h.ask("GET", how[0], "", how[1:]...)
		lines := strings.Split(strings.TrimSuffix(w.Body.String(), "\n"), "\n")
		if len(lines) != len(all) || w.Header().Get("Content-Type") != "application/jsonl" {
			t.Fatalf("%s: %d lines of %s, want %d", how[0], len(lines), w.Header().Get("Content-Type"), len(all))
		}
		for i, line := range lines {
			var e journal.Event
			if err := json.Unmarshal([]byte(line), &e); err != nil || e.Seq != all[i].Seq {
				t.Fatalf("line %d: %v, %s", i, err, line)
			}
		}
	}
	if w := h.ask("GET", "/api/v1/journal?format=jsonl&type=service.&before=9", ""); strings.Count(w.Body.String(), "\n") != 3 {
		t.Errorf("filtered: %s", w.Body)
	}
}

func TestAnEmptyJournalIsAList(t *testing.T) {
	h := newHouse(t)
	for path, want := range map[string]string{"?type=nothing": "[]\n", "?type=nothing&format=jsonl": ""} {
		if got := h.ask("GET", "/api/v1/journal"+path, "").Body.String(); got != want {
			t.Errorf("%s: %q", path, got)
		}
	}
}
