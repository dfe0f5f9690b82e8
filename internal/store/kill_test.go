package store

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// writeUntilKilled is the child: it adds to the log, counts in a record, and now and then trims, all in one change, and
// says each number on standard output once Update has returned.
func writeUntilKilled(dir string) int {
	s, err := Open(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for {
		var seq uint64
		err := s.Update(func(tx *Tx) (err error) {
			padding := strings.Repeat("x", rand.IntN(3000))
			seq, err = Append(tx, "log", func(seq uint64) thing { return thing{padding, int(seq)} })
			if err != nil {
				return err
			}
			if seq > 40 {
				err = Trim(tx, "log", seq-40)
			}
			return errors.Join(err, Put(tx, "things", "count", seq), Put(tx, "things", strconv.FormatUint(seq%50, 10), thing{padding, int(seq)}))
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(seq)
	}
}

// again starts this binary again as a child with a task.
func again(t *testing.T, task, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "HEARTHGATE_STORE_TEST="+task, "HEARTHGATE_STORE_DIR="+dir)
	return cmd
}

// killed runs the child until it has acknowledged some changes, kills it a moment later, and returns the last number that
// it acknowledged; 0 for none.
func killed(t *testing.T, dir string, after int, moment time.Duration) (acknowledged uint64) {
	t.Helper()
	cmd := again(t, "write until killed", dir)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	for n := 0; ; n++ {
		if n == after {
			time.AfterFunc(moment, func() { _ = cmd.Process.Kill() }) // SIGKILL
		}
		line, err := lines.ReadString('\n')
		if err == io.EOF { //nolint:errorlint // bufio promises this very value
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if acknowledged, err = strconv.ParseUint(strings.TrimSpace(line), 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait() // killed
	if complaint.Len() > 0 {
		t.Fatalf("the child said %s", complaint.String())
	}
	return acknowledged
}

// count checks that a state is whole and returns how far it came.
func count(t *testing.T, dir string) (n uint64) {
	t.Helper()
	s := mustOpen(t, dir) // reads and checks every page and every record
	defer mustClose(t, s)
	err := s.View(func(tx *Tx) error {
		var err error
		if n, _, err = Get[uint64](tx, "things", "count"); err != nil {
			return err
		}
		_, last, err := Ends(tx, "log")
		if last != n {
			t.Errorf("the record says %d and the log %d: half a change", n, last)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestKilledWhileWriting(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	for range 20 {
		acknowledged := killed(t, dir, 1+rand.IntN(20), time.Duration(rand.IntN(3000))*time.Microsecond)
		if have := count(t, dir); have < acknowledged || have > acknowledged+1 {
			t.Fatalf("%d were acknowledged and %d are there", acknowledged, have)
		}
	}
}

// TestKilledAtFirstStart kills children at moments spread over the time that a first start takes.
func TestKilledAtFirstStart(t *testing.T) {
	began := time.Now()
	killed(t, filepath.Join(t.TempDir(), "state"), 1, 0)
	usual := time.Since(began)
	none := 0
	for i := range 16 {
		dir := filepath.Join(t.TempDir(), "state")
		acknowledged := killed(t, dir, 0, usual*time.Duration(i)/16)
		if _, err := os.Stat(filepath.Join(dir, fileName)); errors.Is(err, os.ErrNotExist) {
			none++
		}
		if have := count(t, dir); have < acknowledged || have > acknowledged+1 {
			t.Fatalf("%d were acknowledged and %d are there", acknowledged, have)
		}
	}
	if none == 0 {
		t.Error("no child was killed before its state was there")
	}
}
