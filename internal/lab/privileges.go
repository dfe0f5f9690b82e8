package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Privileges are what the kernel says that a process may do (/proc/PID/status, proc(5)).
type Privileges struct {
	UID, GID    int // as the process itself sees them; the effective ones
	Inheritable uint64
	Permitted   uint64
	Effective   uint64
	Ambient     uint64
	NoNewPrivs  bool
}

// AssertUnprivileged fails the test unless the process is not root, has no capability and cannot gain one. A process
// that has just been started is given a moment to have shed them, for its first steps are nsenter's.
func (p *Process) AssertUnprivileged(t testing.TB) {
	t.Helper()
	var have Privileges
	var err error
	for range 500 {
		have, err = PrivilegesOf(p.PID())
		if err == nil && have.none() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("process %d has privileges: %+v, %v", p.PID(), have, err)
}

func (p Privileges) none() bool {
	return p.UID != 0 && p.GID != 0 && p.NoNewPrivs && p.Inheritable|p.Permitted|p.Effective|p.Ambient == 0
}

// PrivilegesOf reads the privileges of a process of the lab.
func PrivilegesOf(pid int) (Privileges, error) {
	text, err := os.ReadFile(procFile(pid, "status"))
	if err != nil {
		return Privileges{}, err
	}
	var p Privileges
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
		if err := p.set(pid, name, value); err != nil {
			return Privileges{}, fmt.Errorf("reading the privileges of process %d: %q: %w", pid, line, err)
		}
	}
	return p, nil
}

func (p *Privileges) set(pid int, name, value string) (err error) {
	switch name {
	case "Uid":
		p.UID, err = effective(pid, "uid_map", value)
	case "Gid":
		p.GID, err = effective(pid, "gid_map", value)
	case "CapInh":
		p.Inheritable, err = strconv.ParseUint(value, 16, 64)
	case "CapPrm":
		p.Permitted, err = strconv.ParseUint(value, 16, 64)
	case "CapEff":
		p.Effective, err = strconv.ParseUint(value, 16, 64)
	case "CapAmb":
		p.Ambient, err = strconv.ParseUint(value, 16, 64)
	case "NoNewPrivs":
		p.NoNewPrivs = value == "1"
	}
	return err
}

// effective takes the second of the four ids, which is the effective one, and turns it from how it looks to this
// process into how it looks to that process: they differ in a nested user namespace (user_namespaces(7)).
func effective(pid int, mapFile, ids string) (int, error) {
	fields := strings.Fields(ids)
	if len(fields) != 4 {
		return 0, fmt.Errorf("four ids were expected")
	}
	id, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0, err
	}
	if same, err := sameUsers(pid); same || err != nil {
		return id, err // and the map would speak of the namespace around both
	}
	text, err := os.ReadFile(procFile(pid, mapFile))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var there, here, count int
		if _, err := fmt.Sscan(line, &there, &here, &count); err != nil {
			return 0, err
		}
		if here <= id && id-here < count {
			return there + id - here, nil
		}
	}
	return 0, fmt.Errorf("id %d is not in %s", id, mapFile)
}

// sameUsers tells whether the process is in this process's user namespace.
func sameUsers(pid int) (bool, error) {
	there, err := os.Readlink(procFile(pid, "ns/user"))
	if err != nil {
		return false, err
	}
	here, err := os.Readlink("/proc/self/ns/user")
	return there == here, err
}

func procFile(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}
