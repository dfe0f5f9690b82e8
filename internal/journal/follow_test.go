package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hearthgate/hearthgate/internal/store"
)

func TestPublishedAfterCommitOnly(t *testing.T) {
	var log bytes.Buffer
	j, st := newJournal(t, filepath.Join(t.TempDir(), "state"), &log)
	live, cancel := j.Subscribe(8)
	defer cancel()

	no := errors.New("no")
	err := st.Update(func(tx *store.Tx) error {
		if err := j.RecordTx(tx, Event{Type: PeerAdded, Message: "dropped"}); err != nil {
			return err
		}
		return no
	})
	if !errors.Is(err, no) {
		t.Fatal(err)
	}
	err = st.Update(func(tx *store.Tx) error {
		for _, message := range []string{"one", "two"} {
			if err := j.RecordTx(tx, Event{Type: PeerAdded, Message: message}); err != nil {
				return err
			}
		}
		if len(live) != 0 {
			t.Error("an event was published before the change was on the disk")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"one", "two"} { // Update has returned: they are in the channel
		if e := <-live; e.Message != want || e.Seq != uint64(i+1) {
			t.Errorf("got %d %q, want %q", e.Seq, e.Message, want)
		}
	}
	if strings.Contains(log.String(), "dropped") || len(live) != 0 || len(recent(t, j, 0)) != 2 {
		t.Error("the event of a change that was dropped is somewhere")
	}
}

func TestSlowSubscriberIsCutOff(t *testing.T) {
	j, _ := testJournal(t)
	slow, cancelSlow := j.Subscribe(2)
	quick, cancelQuick := j.Subscribe(10)
	for i := range 4 {
		record(t, j, fmt.Sprint(i)) // would hang if a subscriber could hold it up
	}
	var got []uint64
	for e := range slow { // ends: the channel is closed
		got = append(got, e.Seq)
	}
	if !slices.Equal(got, []uint64{1, 2}) {
		t.Errorf("the slow one got %v", got)
	}
	if got := seqs(after(t, j, 2, 0)); !slices.Equal(got, []uint64{3, 4}) {
		t.Errorf("what it missed is %v", got)
	}
	if len(quick) != 4 {
		t.Errorf("the quick one got %d", len(quick))
	}
	cancelSlow()
	cancelQuick()
	cancelQuick() // as often as one likes
	record(t, j, "nobody listens")
	if len(quick) != 4 {
		t.Error("an event came after the end of the subscription")
	}
}

// TestFollowHasNoGap: events are recorded from all sides before, while and after Follow starts, faster than it takes them.
func TestFollowHasNoGap(t *testing.T) {
	j, st := testJournal(t)
	recordMany(t, j, st, 10)
	const writers, each = 4, 3 * followBuffer
	const last = 10 + writers*each
	for range writers {
		go func() {
			for range each / 8 {
				_ = st.Update(func(tx *store.Tx) (err error) {
					for range 8 {
						err = errors.Join(err, j.RecordTx(tx, Event{Type: PeerChanged}))
					}
					return err
				})
			}
		}()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	next := uint64(4)
	err := j.Follow(ctx, 3, func(e Event) error {
		if e.Seq != next {
			t.Fatalf("event %d came where %d was due", e.Seq, next)
		}
		if next%100 == 0 { // fall behind now and then
			time.Sleep(5 * time.Millisecond)
		}
		if next == last {
			cancel()
		}
		next++
		return nil
	})
	if err != nil || next != last+1 {
		t.Errorf("it ended before %d with %v", next, err)
	}
}

// TestFollowGivesEveryEventOnce: what comes while the old events are read is both on the disk and in the channel.
func TestFollowGivesEveryEventOnce(t *testing.T) {
	j, _ := testJournal(t)
	record(t, j, "old")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var got []string
		err := j.Follow(ctx, 0, func(e Event) error {
			got = append(got, e.Message)
			switch e.Message {
			case "old":
				record(t, j, "meanwhile")
				time.AfterFunc(time.Second, func() { _ = j.Record(Event{Type: PeerChanged, Message: "new"}) }) // once Follow waits
			case "new":
				cancel()
			}
			return nil
		})
		if want := []string{"old", "meanwhile", "new"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("got %v, %v; want %v", got, err, want)
		}
	})
}

func TestFollowReturnsWhatItIsTold(t *testing.T) {
	j, _ := testJournal(t)
	record(t, j, "one")
	no := errors.New("no")
	if err := j.Follow(t.Context(), 0, func(Event) error { return no }); !errors.Is(err, no) {
		t.Errorf("got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.Follow(ended, 0, func(Event) error { t.Error("called"); return nil }); err != nil {
		t.Errorf("got %v", err)
	}
}
