package endpoint

import (
	"fmt"
	"sync"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// Setting is the endpoint that the household has set on the page. It lies in the store; what a flag or the settings file
// says stands above it.
type Setting struct {
	store   *store.Store
	journal *journal.Journal
	mu      sync.Mutex // one change at a time, so that the journal tells of changes only
}

const (
	bucket = "endpoint"
	record = "set"
)

type kept struct {
	Address string `json:"address"`
}

// NewSetting gives the setting in st, whose changes are written to j.
func NewSetting(st *store.Store, j *journal.Journal) *Setting {
	return &Setting{store: st, journal: j}
}

// Get is the address as it was set, HOST:PORT, or empty.
func (s *Setting) Get() (string, error) {
	var k kept
	err := s.store.View(func(tx *store.Tx) (err error) {
		k, _, err = store.Get[kept](tx, bucket, record)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("reading the endpoint: %w", err)
	}
	return k.Address, nil
}

// Set keeps an address that has been checked, HOST:PORT; empty takes the setting away.
func (s *Setting) Set(address string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before, err := s.Get()
	if err != nil || before == address {
		return err
	}
	err = s.store.Update(func(tx *store.Tx) error {
		if err := store.Put(tx, bucket, record, kept{address}); err != nil {
			return err
		}
		return s.journal.RecordTx(tx, journal.Event{
			Type: journal.EndpointChanged, Message: changeWords(before, address),
			Data: map[string]string{"before": before, "endpoint": address},
		})
	})
	if err != nil {
		return fmt.Errorf("setting the endpoint: %w", err)
	}
	return nil
}

func changeWords(before, after string) string {
	switch {
	case after == "":
		return fmt.Sprintf("the endpoint %s was taken away; new phones will connect at home only", before)
	case before == "":
		return fmt.Sprintf("phones will find this home at %s", after)
	default:
		return fmt.Sprintf("new phones will find this home at %s, no longer at %s", after, before)
	}
}
