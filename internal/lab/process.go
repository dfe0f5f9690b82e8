package lab

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// stopTime is what a process gets to end after SIGTERM; the product promises 3 s.
const stopTime = 10 * time.Second

// A Process runs on a host until it ends or the test does.
type Process struct {
	cmd   *exec.Cmd
	out   *output
	ended chan struct{}
	err   error // of Wait, once ended is closed
}

// Start starts a command of [Host.Command] or [Host.Unprivileged] and ends it with the test, when it tells what it wrote
// if the test failed. What the command writes is kept, except on a stream that the test has already taken.
func Start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{cmd: cmd, out: new(output), ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = p.out
	}
	if cmd.Stderr == nil {
		cmd.Stderr = p.out
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v", title(cmd), err)
	}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.end(stopTime)
		if t.Failed() {
			t.Logf("what %s wrote:\n%s", title(cmd), tail(p.Output()))
		}
	})
	return p
}

// PID is the program's process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Output is what the process has written so far, both streams in one.
func (p *Process) Output() string { return p.out.String() }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait waits for the process to end by itself and returns what exec.Cmd's Wait did, or ctx's error.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.ended:
		return p.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// WaitFor waits until the process has written text. It fails the test when the process ends first, or after limit.
func (p *Process) WaitFor(t testing.TB, text string, limit time.Duration) {
	t.Helper()
	late := time.After(limit)
	for !strings.Contains(p.Output(), text) {
		select {
		case <-p.ended:
			if !strings.Contains(p.Output(), text) {
				t.Fatalf("the process ended (%v) without writing %q", p.err, text)
			}
		case <-late:
			t.Fatalf("the process did not write %q within %v", text, limit)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Signal sends a signal to the process alone, not to its children.
func (p *Process) Signal(t testing.TB, signal os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatalf("sending %v: %v", signal, err)
	}
}

// Stop sends SIGTERM and waits for the end. It fails the test when the process has to be killed, or says by its exit
// code that it did not end well. An end that happened before is not judged.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	select {
	case <-p.ended:
		return
	default:
	}
	if !p.end(stopTime) {
		t.Errorf("the process did not end within %v of SIGTERM", stopTime)
		return
	}
	if exit, ok := errors.AsType[*exec.ExitError](p.err); ok && !byTerm(exit) {
		t.Errorf("the process ended badly: %v", p.err)
	}
}

// byTerm: a program without a handler ends by the signal, which is what Stop asked for.
func byTerm(exit *exec.ExitError) bool {
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGTERM
}

// Kill ends the process as a power cut would, with SIGKILL, and its process group; it returns when it has ended.
func (p *Process) Kill() { p.end(0) }

// end gives the process patience to end by SIGTERM, then kills its group. It tells whether the signal was enough.
func (p *Process) end(patience time.Duration) bool {
	if patience > 0 {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended, which is as good
		select {
		case <-p.ended:
			return true
		case <-time.After(patience):
		}
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // the same
	<-p.ended
	return false
}
