package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nobody is the user that Unprivileged processes have, and its group: the one that Debian keeps for owning nothing.
const nobody = 65534

// runTime bounds what Run waits for; a scan that takes longer is a Command with a context of its own.
const runTime = 2 * time.Minute

// Command prepares a program on the host, as root there. It is a plain exec.Cmd whose process is, once it runs, the
// program itself: Process.Pid is the program's, Dir is honoured, and the end of ctx kills its whole process group.
//
// Its environment is a clean one, without HOME and without what a developer has set for Hearthgate: append to Env.
func (h *Host) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	return h.command(ctx, append([]string{name}, args...)...)
}

// Unprivileged prepares a program on the host as the appliance runs it: a user that is not root, no capability in any
// set, and no way to gain one (no_new_privs, prctl(2)). It can enter directories of [Host.Dir] and run what everybody
// may run, as [Share] makes it. Where the lab is a user's own, no other user exists, and a nested user namespace stands
// in: there the process is nobody and its capabilities are as empty; only the bounding set keeps its bits, of no use.
func (h *Host) Unprivileged(ctx context.Context, name string, args ...string) *exec.Cmd {
	id := strconv.Itoa(nobody)
	drop := []string{
		"setpriv", "--reuid", id, "--regid", id, "--clear-groups", "--inh-caps=-all", "--ambient-caps=-all",
		"--bounding-set=-all", "--no-new-privs", "--",
	}
	if h.by == asUser {
		drop = []string{"unshare", "--user", "--map-user", id, "--map-group", id, "--", "setpriv", "--no-new-privs", "--"}
	}
	return h.command(ctx, append(append(drop, name), args...)...)
}

// user is who owns what an Unprivileged process may write, as this process sees it.
func (h *Host) user() int {
	if h.by == asUser {
		return 0
	}
	return nobody
}

// enter enters a host with nsenter(1): $0 is its holder, the arguments are the command. It is a shell's because the
// directory in which the command starts, exec.Cmd's Dir, is known only then.
const enter = `cd -P . && exec nsenter --target "$0" --net --mount --uts --wdns="$PWD" -- "$@"`

func (h *Host) command(ctx context.Context, argv ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", enter, h.id()}, argv...)...)
	cmd.Env = environment()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second // for an output that a grandchild holds open
	return cmd
}

// title is a command as its caller knows it.
func title(cmd *exec.Cmd) string {
	args := cmd.Args
	if len(args) > 4 && args[2] == enter {
		args = args[4:]
	}
	return strings.Join(args, " ")
}

// environment is what a command on a host starts with.
func environment() []string {
	env := []string{"LANG=C.UTF-8"}
	for _, pair := range os.Environ() {
		name, _, _ := strings.Cut(pair, "=")
		switch name {
		case "PATH", "TMPDIR", "TZ", "CI", "GORACE", "GOTRACEBACK", "GODEBUG", "GOCOVERDIR", placeVar:
			env = append(env, pair)
		}
	}
	return env
}

// Run runs a program on the host to its end and returns what it wrote, both streams in one. It must succeed.
func (h *Host) Run(t testing.TB, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTime)
	defer cancel()
	out, err := h.Command(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("on %s: %s %s: %v\n%s", h.Name, name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// feed runs a program on the host with the given standard input. It and ask are for building, where no test can fail.
func (h *Host) feed(input, name string, args ...string) error {
	_, err := h.exchange(input, name, args...)
	return err
}

// ask returns what a program wrote.
func (h *Host) ask(name string, args ...string) (string, error) {
	return h.exchange("", name, args...)
}

func (h *Host) exchange(input, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), runTime)
	defer cancel()
	cmd := h.Command(ctx, name, args...)
	cmd.Stdin = strings.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("on %s: %s %s: %w: %s", h.Name, name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return string(out), err
}
