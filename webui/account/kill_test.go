package account

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

// TestKill kills a process with SIGKILL while somebody guesses and signs in, and asks its store: every guess that was
// looked at is counted, and every session that was acknowledged is there.
func TestKill(t *testing.T) {
	if dir := os.Getenv("ACCOUNT_TEST_KILL"); dir != "" {
		guessUntilKilled(dir)
		return
	}
	dir := t.TempDir() + "/state"
	looked := 0
	for round := range 4 {
		for _, line := range runAndKill(t, dir, 2+round) {
			what, cookie, _ := strings.Cut(line, " ")
			if what == "looked" {
				looked++
				continue
			}
			a := realAccount(t, dir)
			if _, err := a.Session(cookie); err != nil {
				t.Errorf("an acknowledged session: %v", err)
			}
			_ = a.config.Store.Close()
		}
		a := realAccount(t, dir)
		must1(0, a.guard.load())
		owed := time.Until(a.guard.levels[setupCodeGuess].full)
		every := bucketOf(setupCodeGuess).every
		if counted := int((owed + every - 1) / every); counted < looked {
			t.Errorf("%d guesses were looked at and %d are counted", looked, counted)
		}
		_ = a.config.Store.Close()
	}
	if looked < 8 {
		t.Errorf("only %d guesses: this tests nothing", looked)
	}
}

func realAccount(t testing.TB, dir string) *Account {
	t.Helper()
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	return New(Config{
		Store: st, Journal: journal.New(st, time.Now, log), Now: time.Now, Synchronised: func() bool { return true }, Log: log,
	})
}

// guessUntilKilled is the child. It says that a guess is looked at when it is, and not when that is done.
func guessUntilKilled(dir string) {
	st, err := store.Open(dir)
	if err != nil {
		panic(err)
	}
	log := slog.New(slog.DiscardHandler)
	a := New(Config{
		Store: st, Journal: journal.New(st, time.Now, log), Now: time.Now, Synchronised: func() bool { return true }, Log: log,
	})
	ctx := context.Background()
	if _, err := a.TakeClaim(ctx, Claiming{Code: a.code, Passphrase: passphrase, Visitor: kitchen}); err != nil && !errors.Is(err, ErrClaimed) {
		panic(err)
	}
	for i := os.Getpid() % 5000; ; i++ {
		v := fromMany(i)
		_ = a.guess(sourceLane(setupCodeGuess, v), v, func() error {
			fmt.Println("looked")
			return ErrWrong
		})
		in, err := a.enter(v, true, func(_ *store.Tx, h householdRecord) (householdRecord, error) { return h, nil })
		if err != nil {
			panic(err)
		}
		fmt.Println("signed-in", in.Cookie)
	}
}

// runAndKill starts the child, and kills it in the middle of what follows the lines-th line.
func runAndKill(t *testing.T, dir string, lines int) (said []string) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	child.Env = append(os.Environ(), "ACCOUNT_TEST_KILL="+dir)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	child.Stderr = os.Stderr
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	for scanner.Scan() {
		said = append(said, scanner.Text())
		if len(said) == lines {
			_ = child.Process.Kill()
		}
	}
	_ = child.Wait() // it was killed
	if len(said) < lines {
		t.Fatalf("the child ended by itself after %q", said)
	}
	return said
}
