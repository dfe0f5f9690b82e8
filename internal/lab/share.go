package lab

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// Share copies a program to where every user of the lab may run it, and returns its new name. go test puts a test
// binary into a directory that only its owner may enter, which Unprivileged is not.
func Share(t testing.TB, program string) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o711); err != nil {
			t.Fatalf("sharing %s: %v", program, err)
		}
	}
	shared := filepath.Join(dir, filepath.Base(program))
	if err := copyProgram(shared, program); err != nil {
		t.Fatalf("sharing %s: %v", program, err)
	}
	return shared
}

// copyProgram keeps other goroutines from starting processes while it writes: such a process would have the file open
// for writing until its exec, and a program that somebody may write to cannot be run (ETXTBSY, golang.org/issue/22315).
func copyProgram(to, from string) error {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return err
	}
	return out.Close()
}
