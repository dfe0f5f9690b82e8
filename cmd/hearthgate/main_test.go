package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hearthgate": main})
}

// TestCommands runs the command as a person types it. Each script has its own state and its own ports, and a stand-in
// for Home Assistant at $HOME_ASSISTANT.
func TestCommands(t *testing.T) {
	t.Parallel()
	home := serveHomeAssistant(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			// A Unix socket's path must be short, and a script's own directory is not.
			dir, err := os.MkdirTemp("", "hg") //nolint:usetesting // t.TempDir is too long a path for a socket
			if err != nil {
				return err
			}
			env.Defer(func() { os.RemoveAll(dir) })
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("HOME_ASSISTANT", home)
			env.Setenv("HEARTHGATE_WEB", "127.0.0.1:0")
			env.Setenv("SOCK", filepath.Join(dir, "s"))
			env.Setenv("BUSY", strconv.Itoa(busyUDPPort(env)))
			env.Setenv("BUSYTCP", strconv.Itoa(busyTCPPort(env)))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":    exitsWith,
			"await":   awaitFile,
			"mode":    hasMode,
			"unequal": filesDiffer,
		},
	})
}

func serveHomeAssistant(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- standin.New(standin.Options{}).Serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

func busyUDPPort(env *testscript.Env) int {
	c, err := net.ListenUDP("udp", nil)
	if err != nil {
		env.T().Fatal(err)
	}
	env.Defer(func() { c.Close() })
	return c.LocalAddr().(*net.UDPAddr).Port
}

func busyTCPPort(env *testscript.Env) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		env.T().Fatal(err)
	}
	env.Defer(func() { l.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// exitsWith is `code N command args...`: the command must exit with exactly N.
func exitsWith(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%v exited with %d, want %d\n%s", args[1:], got, want, ts.ReadFile("stderr"))
	}
}

// awaitFile is `await PATH`: waits until something is there.
func awaitFile(ts *testscript.TestScript, neg bool, args []string) {
	for range 200 {
		if _, err := os.Lstat(ts.MkAbs(args[0])); (err == nil) != neg {
			return
		}
		time.Sleep(50 * time.Millisecond) // the other side is a process of its own
	}
	ts.Fatalf("%s: waited 10 s", args[0])
}

// hasMode is `mode 0600 PATH`.
func hasMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Lstat(ts.MkAbs(args[1]))
	ts.Check(err)
	want, err := strconv.ParseUint(args[0], 8, 32)
	ts.Check(err)
	if info.Mode().Perm() != os.FileMode(want) {
		ts.Fatalf("%s has mode %o, want %s", args[1], info.Mode().Perm(), args[0])
	}
}

// filesDiffer is `unequal A B`.
func filesDiffer(ts *testscript.TestScript, _ bool, args []string) {
	if ts.ReadFile(args[0]) == ts.ReadFile(args[1]) {
		ts.Fatalf("%s and %s are the same", args[0], args[1])
	}
}
