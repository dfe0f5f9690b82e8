package journal

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

var noon = time.Date(2026, 3, 2, 13, 0, 0, 0, time.FixedZone("CET", 3600))

func newJournal(t *testing.T, dir string, log *bytes.Buffer) (*Journal, *store.Store) {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return New(st, func() time.Time { return noon }, slog.New(slog.NewTextHandler(log, nil))), st
}

func testJournal(t *testing.T) (*Journal, *store.Store) {
	t.Helper()
	return newJournal(t, filepath.Join(t.TempDir(), "state"), new(bytes.Buffer))
}

func record(t *testing.T, j *Journal, message string) {
	t.Helper()
	if err := j.Record(Event{Type: PeerChanged, Message: message}); err != nil {
		t.Fatal(err)
	}
}

// recordMany writes n events in few transactions.
func recordMany(t *testing.T, j *Journal, st *store.Store, n int) {
	t.Helper()
	for n > 0 {
		err := st.Update(func(tx *store.Tx) error {
			for range min(n, 250) {
				if err := j.RecordTx(tx, Event{Type: PeerConnected, Message: strings.Repeat("m", 100)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		n -= 250
	}
}

func seqs(events []Event) []uint64 {
	var all []uint64
	for _, e := range events {
		all = append(all, e.Seq)
	}
	return all
}

func after(t *testing.T, j *Journal, seq uint64, limit int) []Event {
	t.Helper()
	events, err := j.After(seq, limit)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func recent(t *testing.T, j *Journal, limit int) []Event {
	t.Helper()
	events, err := j.Recent(limit)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

func TestEventIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	var log bytes.Buffer
	j, st := newJournal(t, dir, &log)
	event := Event{Type: PeerAdded, PeerID: "p1", PeerName: "Anna's phone", Message: "Anna's phone was added.", Data: map[string]string{"services": "home-assistant"}}
	if err := j.Record(event); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"level=INFO", `msg="event recorded"`, "type=peer.added", "seq=1", `peer="Anna's phone"`, `message="Anna's phone was added."`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %s: %s", want, log.String())
		}
	}

	j, _ = newJournal(t, dir, &log)
	text, err := json.Marshal(recent(t, j, 0))
	want := `[{"seq":1,"time":"2026-03-02T12:00:00Z","type":"peer.added","peer_id":"p1","peer_name":"Anna's phone",` +
		`"message":"Anna's phone was added.","data":{"services":"home-assistant"}}]`
	if err != nil || string(text) != want {
		t.Errorf("got  %s, %v\nwant %s", text, err, want)
	}
	record(t, j, "after a restart")
	if got := seqs(after(t, j, 0, 0)); !slices.Equal(got, []uint64{1, 2}) {
		t.Errorf("the numbers are %v", got)
	}
}

func TestEventWithItsOwnTime(t *testing.T) {
	j, _ := testJournal(t)
	if err := j.Record(Event{Type: PeerFirstHandshake, Time: noon.Add(-time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if got := recent(t, j, 1)[0].Time; !got.Equal(noon.Add(-time.Hour)) || got.Location() != time.UTC {
		t.Errorf("the time is %v", got)
	}
	if err := j.Record(Event{Message: "what kind?"}); err == nil {
		t.Error("an event without a type was recorded")
	}
}

func TestReading(t *testing.T) {
	j, st := testJournal(t)
	if got := append(after(t, j, 0, 0), recent(t, j, 5)...); len(got) != 0 {
		t.Errorf("an empty journal has %v", got)
	}
	recordMany(t, j, st, 10)
	for _, c := range []struct {
		what string
		got  []Event
		want []uint64
	}{
		{"all", after(t, j, 0, 0), []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{"after 7", after(t, j, 7, 0), []uint64{8, 9, 10}},
		{"three after 2", after(t, j, 2, 3), []uint64{3, 4, 5}},
		{"after the last", after(t, j, 10, 0), nil},
		{"after what is not there yet", after(t, j, 1<<63, 0), nil},
		{"after the greatest number", after(t, j, ^uint64(0), 0), nil},
		{"the newest two", recent(t, j, 2), []uint64{9, 10}},
		{"more than there are", recent(t, j, 50), []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{"as many as there are", recent(t, j, 10), []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{"any number of the newest", recent(t, j, 0), []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
	} {
		if got := seqs(c.got); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
	}
}

// TestJournalDoesNotGrow: the newest 10,000 stay, whatever comes, and the file stops growing.
func TestJournalDoesNotGrow(t *testing.T) {
	j, st := testJournal(t)
	recordMany(t, j, st, keep)
	if all := seqs(recent(t, j, 0)); len(all) != keep || all[0] != 1 {
		t.Fatalf("%d events from %d", len(all), all[0])
	}
	for range 3 {
		record(t, j, "one more")
	}
	if all := seqs(after(t, j, 0, 0)); len(all) != keep || all[0] != 4 || all[keep-1] != keep+3 {
		t.Fatalf("%d events from %d to %d", len(all), all[0], all[len(all)-1])
	}
	recordMany(t, j, st, 2*keep)
	before := fileSize(t, st)
	recordMany(t, j, st, 2*keep)
	if got := fileSize(t, st); got > before || got > 16<<20 {
		t.Errorf("the file has grown from %d to %d bytes", before, got)
	}
	if all := seqs(recent(t, j, 0)); len(all) != keep || all[keep-1] != 5*keep+3 {
		t.Errorf("%d events up to %d", len(all), all[len(all)-1])
	}
	onDisk := 0
	err := st.View(func(tx *store.Tx) error {
		return store.EachFrom(tx, bucket, 0, func(uint64, Event) error { onDisk++; return nil })
	})
	if err != nil || onDisk > keep+slack {
		t.Errorf("%d events are on the disk, %v", onDisk, err)
	}
}

func fileSize(t *testing.T, st *store.Store) int64 {
	t.Helper()
	info, err := os.Stat(st.Path())
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestTypesAreContract: other people's scripts look for these words.
func TestTypesAreContract(t *testing.T) {
	got := []Type{
		PeerAdded, PeerChanged, PeerRemoved, PeerRekeyed, PeerExpired, PeerFirstHandshake, PeerConnected, PeerDisconnected,
		HomeAssistantFound, HomeAssistantLost, HomeAssistantMoved, HomeAssistantChoose, HomeAssistantWarning,
		ServiceAdded, ServiceRemoved, ServerRekeyed,
	}
	want := "peer.added peer.changed peer.removed peer.rekeyed peer.expired peer.first_handshake peer.connected peer.disconnected " +
		"home_assistant.found home_assistant.lost home_assistant.moved home_assistant.choose home_assistant.warning " +
		"service.added service.removed server.rekeyed"
	var words []string
	for _, t := range got {
		words = append(words, string(t))
	}
	if strings.Join(words, " ") != want {
		t.Errorf("got  %v\nwant %s", words, want)
	}
}

func BenchmarkRecord(b *testing.B) {
	st, err := store.Open(filepath.Join(b.TempDir(), "state"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	j := New(st, time.Now, slog.New(slog.DiscardHandler))
	for b.Loop() {
		if err := j.Record(Event{Type: PeerConnected, PeerName: "Anna's phone", Message: "Anna's phone is connected."}); err != nil {
			b.Fatal(err)
		}
	}
}
