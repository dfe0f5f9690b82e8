package browser

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// A wire is the pair of pipes over which a browser that runs already is spoken to, and chromedp's way to it. Pipes need no
// port, which another process could take or find, and cross into any network namespace; when this process ends they
// break, and Chromium ends too.
type wire struct{ conn *chromedp.PipeConn }

// Allocate and the two others are chromedp.Allocator and chromedp.Attacher.
func (w wire) Allocate(_ context.Context, options ...chromedp.BrowserOption) (*chromedp.Browser, error) {
	return chromedp.NewBrowserTransport(context.Background(), w.conn, options...)
}

// Wait has nothing to wait for: the process is the lab's.
func (w wire) Wait() {}

// Attaches says that the browser is not chromedp's to end.
func (w wire) Attaches() bool { return true }

// launch starts Chromium with the far ends of the pipes as its descriptors 3 and 4.
func (b *Browser) launch(t testing.TB) (wire, error) {
	t.Helper()
	commands, toBrowser, err := os.Pipe()
	if err != nil {
		return wire{}, err
	}
	fromBrowser, answers, err := os.Pipe()
	if err != nil {
		return wire{}, errors.Join(err, commands.Close(), toBrowser.Close())
	}
	cmd := b.command()
	cmd.ExtraFiles = []*os.File{commands, answers}
	b.conn = chromedp.NewPipeConn(fromBrowser, toBrowser)
	b.process = lab.Start(t, cmd)
	commands.Close()
	answers.Close()
	return wire{b.conn}, nil
}

// tidy is what happens last: every process of the browser ends, and then its directory goes.
func (b *Browser) tidy(t testing.TB) {
	t.Helper()
	if b.conn != nil {
		b.conn.Close()
	}
	if err := b.end(); err != nil {
		t.Errorf("ending the browser: %v", err)
	}
	if err := os.RemoveAll(b.dir); err != nil {
		t.Errorf("removing what the browser left: %v", err)
	}
}

func (b *Browser) end() error {
	if b.process == nil {
		return nil
	}
	for began := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		left := b.processes()
		if len(left) == 0 {
			return nil
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended in between, which is as good
		}
		if time.Since(began) > commandTime {
			return fmt.Errorf("processes %v do not end", left)
		}
	}
}

// processes are those of this browser that still run: they are of its process group or name its directory, and each was
// started by it.
func (b *Browser) processes() []int {
	var left []int
	entries, _ := filepath.Glob("/proc/[0-9]*")
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err == nil && pid != os.Getpid() && b.owns(entry) {
			left = append(left, pid)
		}
	}
	return left
}

func (b *Browser) owns(entry string) bool {
	stat, err := os.ReadFile(filepath.Join(entry, "stat"))
	if err != nil {
		return false
	}
	// After the program's name in parentheses come the state, the parent and the process group (proc(5)).
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 3 || fields[0] == "Z" || fields[0] == "X" {
		return false // it has ended, and waits for its parent to notice
	}
	if fields[2] == strconv.Itoa(b.process.PID()) {
		return true
	}
	arguments, err := os.ReadFile(filepath.Join(entry, "cmdline"))
	return err == nil && strings.Contains(string(arguments), filepath.Join(b.dir, "profile"))
}
