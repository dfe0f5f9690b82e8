package peers

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
)

// TestKill kills a process that changes peers, with SIGKILL, and asks its store
// for what it had acknowledged.
func TestKill(t *testing.T) {
	if dir := os.Getenv("PEERS_TEST_KILL"); dir != "" {
		changeUntilKilled(t, dir)
		return
	}
	dir := t.TempDir() + "/state"
	have := map[string]string{} // ID to name and key, as acknowledged
	for range 8 {
		acked, begun := runAndKill(t, dir, time.Duration(len(have)%5)*3*time.Millisecond)
		for _, line := range acked {
			what, id, state := cut3(line)
			if have[id] = state; what == "removed" {
				delete(have, id)
			}
		}
		r := realRegistry(t, dir)
		list := assertWhole(t, r)
		is := map[string]string{}
		for _, p := range list {
			is[p.ID] = state(p)
		}
		// The one change under way may have come through; then it is whole.
		differ := slices.Collect(maps.Keys(is))
		differ = append(differ, slices.Collect(maps.Keys(have))...)
		slices.Sort(differ)
		differ = slices.DeleteFunc(slices.Compact(differ), func(id string) bool { return is[id] == have[id] })
		if len(differ) > 1 {
			t.Errorf("after a kill within %q, %d peers are not as acknowledged", begun, len(differ))
		}
		assertJournaled(t, r, list)
		have = is
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(have) < 8 {
		t.Errorf("the children added only %d peers", len(have))
	}
}

// assertJournaled asks whether the journal and the peers tell the same.
func assertJournaled(t *testing.T, r *Registry, list []Peer) {
	t.Helper()
	events, err := r.journal.After(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]string{}
	for _, e := range events {
		switch e.Type {
		case journal.PeerAdded:
			told[e.PeerID] = e.PeerName
		case journal.PeerChanged:
			told[e.PeerID] = e.Data["to"]
		case journal.PeerRemoved:
			delete(told, e.PeerID)
		default: // says nothing about names
		}
	}
	is := map[string]string{}
	for _, p := range list {
		is[p.ID] = p.Name
	}
	if !maps.Equal(is, told) {
		t.Errorf("the peers are %v, the journal tells of %v", is, told)
	}
}

func state(p Peer) string { return p.Pair.PublicKey.String() + " " + p.Name }

func cut3(line string) (a, b, c string) {
	a, rest, _ := strings.Cut(line, " ")
	b, c, _ = strings.Cut(rest, " ")
	return a, b, c
}

// changeUntilKilled is the child: it says what it has done once it is done.
func changeUntilKilled(t *testing.T, dir string) {
	r := realRegistry(t, dir)
	for i := 0; ; i++ {
		e, err := r.Add(AddRequest{Name: fmt.Sprint(os.Getpid(), " ", i)})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("added %s %s\n", e.Peer.ID, state(e.Peer))
		p, err := r.Rename(e.Peer.ID, e.Peer.Name+" again")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("renamed %s %s\n", p.ID, state(p))
		if e, err = r.Rekey(p.ID, nil, true); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("rekeyed %s %s\n", p.ID, state(e.Peer))
		if i%2 == 1 {
			if err := r.Remove(p.ID); err != nil {
				t.Fatal(err)
			}
			fmt.Printf("removed %s -\n", p.ID)
		}
	}
}

// runAndKill starts the child, reads some lines and kills it.
func runAndKill(t *testing.T, dir string, wait time.Duration) (acked []string, last string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), "PEERS_TEST_KILL="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		acked = append(acked, lines.Text())
		if len(acked) == 7 {
			time.AfterFunc(wait, func() { _ = child.Process.Kill() })
		}
	}
	_ = child.Wait() // it was killed
	if len(acked) < 7 {
		t.Fatalf("the child ended by itself after %q", acked)
	}
	return acked, acked[len(acked)-1]
}
