package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// synchronisedVar names a program, and makes this test binary become that program, for which somebody vouches for the clock.
const synchronisedVar = "HEARTHGATE_E2E_SYNCHRONISED"

// synchronised makes the appliance believe that the machine's clock is synchronised, whatever the machine that tests thinks of it:
// the product is started behind a filter that answers adjtimex(2) with TIME_OK. The machine's clock is not touched.
func (h *home) synchronised(t testing.TB) {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "hearthgate")
	text := fmt.Sprintf("#!/bin/sh\n%s=%s exec %s \"$@\"\n", synchronisedVar, h.binary, lab.Share(t, own))
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	h.binary = lab.Share(t, script)
}

// actSynchronised becomes the program that synchronisedVar names, if it names one.
func actSynchronised() {
	program := os.Getenv(synchronisedVar)
	if program == "" {
		return
	}
	runtime.LockOSThread() // a filter is one thread's, and that of the thread that calls execve stays (seccomp(2))
	err := answerZero(unix.SYS_ADJTIMEX, unix.SYS_CLOCK_ADJTIME)
	if err == nil {
		err = syscall.Exec(program, append([]string{program}, os.Args[1:]...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, "acting as a machine whose clock is synchronised:", err)
	os.Exit(1)
}

// answerZero makes system calls succeed that then do nothing.
func answerZero(calls ...uint32) error {
	filter := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // the call's number, struct seccomp_data
	for _, call := range calls {
		filter = append(filter,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO}) // with the errno 0
	}
	filter = append(filter, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
