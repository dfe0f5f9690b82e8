package lab

import (
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
)

// A Table is a set of nftables rules of a test's own on a host, beside those that the host has anyway. What one table
// accepts another may still drop (nft(8), "verdict statements"), so a table can forbid, count and translate; what the
// router drops by itself is opened by [Lab.Open].
type Table struct {
	host *Host
	name string
}

var tables atomic.Int64

// Rules puts rules in force until the end of the test or until they are removed: the inside of an inet table, chains,
// sets and counters.
func (h *Host) Rules(t testing.TB, inside string) *Table {
	t.Helper()
	table := &Table{h, fmt.Sprintf("test%d", tables.Add(1))}
	if err := h.load("table inet %s {\n%s\n}\n", table.name, inside); err != nil {
		t.Fatal(err)
	}
	return table
}

// RouterRules is Rules on the household's router; the function that it returns removes them.
func (l *Lab) RouterRules(t testing.TB, inside string) (remove func()) {
	t.Helper()
	table := l.Router.Rules(t, inside)
	return func() { table.Remove(t) }
}

// Remove takes the rules away. They go by themselves with the lab.
func (a *Table) Remove(t testing.TB) {
	t.Helper()
	if err := a.host.load("delete table inet %s\n", a.name); err != nil {
		t.Error(err)
	}
}

// Counted is what a named counter of the table has counted: "counter in {}" in the table, "counter name in" in a rule.
func (a *Table) Counted(t testing.TB, counter string) (packets, bytes uint64) {
	t.Helper()
	text := a.host.Run(t, "nft", "--json", "list", "counter", "inet", a.name, counter)
	var answer struct {
		Nftables []struct {
			Counter *struct{ Packets, Bytes uint64 }
		}
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("reading the counter %s: %v", counter, err)
	}
	for _, one := range answer.Nftables {
		if one.Counter != nil {
			return one.Counter.Packets, one.Counter.Bytes
		}
	}
	t.Fatalf("there is no counter %s in %s", counter, text)
	return 0, 0
}

// load gives a script to nft(8), which takes all of it or nothing.
func (h *Host) load(script string, args ...any) error {
	return h.feed(fmt.Sprintf(script, args...), "nft", "-f", "-")
}
