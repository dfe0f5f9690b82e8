package endpoint

import (
	"log/slog"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

func TestSettingIsKeptAndTold(t *testing.T) {
	dir := t.TempDir()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	j := journal.New(st, time.Now, slog.New(slog.DiscardHandler))
	s := NewSetting(st, j)
	want := func(address string, events int) {
		t.Helper()
		got, err := s.Get()
		if err != nil || got != address {
			t.Fatalf("the setting is %q, %v; want %q", got, err, address)
		}
		list, err := j.Recent(0)
		if err != nil || len(list) != events {
			t.Fatalf("%d events, %v; want %d", len(list), err, events)
		}
		if events > 0 && list[events-1].Data["endpoint"] != address {
			t.Errorf("the last event says %v", list[events-1].Data)
		}
	}
	want("", 0)
	for i, address := range []string{"home.example.org:51820", "[2001:db8::1]:51820", ""} {
		for range 2 { // the second time changes nothing
			if err := s.Set(address); err != nil {
				t.Fatal(err)
			}
			want(address, i+1)
		}
	}
	if err := s.Set("home.example.org:51820"); err != nil {
		t.Fatal(err)
	}
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	if st, err = store.Open(dir); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	j = journal.New(st, time.Now, slog.New(slog.DiscardHandler))
	s = NewSetting(st, j)
	want("home.example.org:51820", 4)
}
