package journal

import (
	"context"
	"errors"
	"fmt"

	"github.com/hearthgate/hearthgate/internal/store"
)

// After is the events with a number above seq, oldest first, at most limit of them; all if limit is not positive. Events
// that are no longer kept are passed over.
func (j *Journal) After(seq uint64, limit int) ([]Event, error) {
	return j.read(func(first, last uint64) uint64 { return max(first, min(seq, last)+1) }, limit)
}

// Recent is the newest events, oldest first, at most limit of them; all if limit is not positive.
func (j *Journal) Recent(limit int) ([]Event, error) {
	return j.read(func(first, last uint64) uint64 {
		if limit <= 0 || uint64(limit) > last {
			return first
		}
		return max(first, last-uint64(limit)+1)
	}, limit)
}

// read collects events from the number that begin gives it, knowing the first and the last.
func (j *Journal) read(begin func(first, last uint64) uint64, limit int) ([]Event, error) {
	var events []Event
	err := j.store.View(func(tx *store.Tx) error {
		_, last, err := store.Ends(tx, bucket)
		if err != nil || last == 0 {
			return err
		}
		return store.EachFrom(tx, bucket, begin(oldest(last), last), func(_ uint64, e Event) error {
			events = append(events, e)
			if len(events) == limit {
				return store.ErrStop
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	return events, nil
}

// Follow calls fn with every event with a number above seq, in their order: those on the disk, then new ones as they come,
// until ctx ends (then it returns nil) or fn returns an error (then it returns that). No event is missing but those that
// were no longer kept, which shows in the numbers.
func (j *Journal) Follow(ctx context.Context, seq uint64, fn func(Event) error) error {
	for ctx.Err() == nil {
		err := j.follow(ctx, &seq, fn)
		if !errors.Is(err, errBehind) {
			return err
		}
	}
	return nil
}

// errBehind: the channel was closed under a slow reader; what it missed is on the disk.
var errBehind = errors.New("fell behind")

func (j *Journal) follow(ctx context.Context, seq *uint64, fn func(Event) error) error {
	live, cancel := j.Subscribe(followBuffer)
	defer cancel()
	if err := j.catchUp(ctx, seq, fn); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-live:
			if !ok {
				return errBehind
			}
			if e.Seq <= *seq { // it came between Subscribe and After
				continue
			}
			if err := fn(e); err != nil {
				return err
			}
			*seq = e.Seq
		}
	}
}

// catchUp takes what is on the disk, a piece at a time: the whole journal would be several megabytes at once.
func (j *Journal) catchUp(ctx context.Context, seq *uint64, fn func(Event) error) error {
	for ctx.Err() == nil {
		events, err := j.After(*seq, catchUpPiece)
		if err != nil || len(events) == 0 {
			return err
		}
		for _, e := range events {
			if ctx.Err() != nil {
				break
			}
			if err := fn(e); err != nil {
				return err
			}
			*seq = e.Seq
		}
	}
	return nil
}

const catchUpPiece = 256 // events, about 60 KB

const followBuffer = 64 // a burst such as `server rekey` in a large household; behind it the disk has the rest
