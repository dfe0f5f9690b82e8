package lab_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

func TestTheUnprivilegedProcessMayDoNothingElse(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	mayDoNothingElse(t, l)
}

// mayDoNothingElse runs a shell without privileges that tries what takes privileges, and what the appliance needs.
func mayDoNothingElse(t *testing.T, l *lab.Lab) {
	t.Helper()
	dir := l.Appliance.Dir(t)
	cmd := l.Appliance.Unprivileged(t.Context(), "/bin/sh", "-c", `
		echo kept >state && cat state && pwd
		ip link add x type bridge 2>/dev/null && echo "a link was made"
		mount -t tmpfs x "$PWD" 2>/dev/null && echo "something was mounted"
		{ echo 1 >/proc/sys/net/ipv4/ip_forward; } 2>/dev/null && echo "a sysctl was changed"
		echo uid $(id -u), gid $(id -g), home "$HOME"
		echo ready
		exec sleep 1000`)
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "HOME="+dir)
	p := lab.Start(t, cmd)
	p.WaitFor(t, "ready", patient)
	p.AssertUnprivileged(t)
	want := fmt.Sprintf("kept\n%s\nuid 65534, gid 65534, home %s\nready\n", dir, dir)
	if got := p.Output(); got != want {
		t.Errorf("it did:\n%swant:\n%s", got, want)
	}
	p.Stop(t)

	root := lab.Start(t, l.Appliance.Command(t.Context(), "sleep", "1000"))
	if have, err := lab.PrivilegesOf(root.PID()); err != nil || have.UID != 0 || have.Effective == 0 {
		t.Errorf("a command that is root on its host has %+v, %v", have, err)
	}
}

// TestWithoutRoot runs a household as a developer does who is not root, on a machine where /dev/net/tun is open to
// everybody, as udev makes it. When the tests as a whole run without root, they all are this test.
func TestWithoutRoot(t *testing.T) {
	lab.Need(t, lab.Namespaces, "setpriv", "unshare")
	if os.Geteuid() != 0 || os.Getenv(placeVar) != "inside root" {
		return
	}
	plain := child(t, "household", "-test.v")
	cmd := child(t, "household", "-test.v")
	cmd.Path = "/bin/sh"
	cmd.Args = append([]string{
		"sh", "-c", `exec unshare --mount sh -e -c '
		mount -t tmpfs tmpfs /mnt
		if [ -e /dev/net/tun ]; then
			mknod -m 666 /mnt/tun c 10 200
			mount --bind /mnt/tun /dev/net/tun
		fi
		exec setpriv --reuid 1000 --regid 1000 --clear-groups --bounding-set=-all "$0" "$@"' "$0" "$@"`,
		lab.Share(t, plain.Path),
	}, plain.Args[1:]...)
	cmd.Dir = "/"
	cmd.Env = append(cmd.Env, "CI="+os.Getenv("CI"), "TMPDIR=/tmp")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "the household works") {
		t.Errorf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "SKIP") {
		lab.Need(t, lab.TUN, "wg", "wireguard-go")
		t.Errorf("something was left out:\n%s", out)
	}
}

// household is a little of everything that the tests here do with a lab.
func household(t *testing.T) {
	l := lab.New(t)
	if text, err := os.ReadFile(filepath.Join("/proc", "self", "uid_map")); err != nil || strings.Fields(string(text))[1] == "0" {
		t.Errorf("ids are mapped by %q, %v: not without root", text, err)
	}
	mayDoNothingElse(t, l)
	startEcho(t, l.Internet, ":51820")
	if got := ask(t, l.Appliance, netip.MustParseAddrPort("11.0.0.1:51820"), patient); !strings.HasPrefix(got, l.WAN4.String()) {
		t.Errorf("the internet saw %q, the WAN address was expected", got)
	}
	fmt.Println("the household works")
	phone := l.AddPhone(t, "anna")
	tunnel := phone.WireGuard(t, wgServer(t, l, netip.MustParseAddrPort("11.0.0.2:51820")), lab.Everything)
	if !tunnel.Handshake(t, patient) {
		t.Error("no handshake")
	}
}

func TestStopAndKill(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	for name, end := range map[string]func(*lab.Process){
		"stop": func(p *lab.Process) { p.Stop(t) },
		"kill": func(p *lab.Process) { p.Kill() },
	} {
		p := lab.Start(t, l.Appliance.Command(t.Context(), "/bin/sh", "-c", "trap 'echo bye; exit' TERM; echo up; while :; do sleep 0.01; done"))
		p.WaitFor(t, "up", patient)
		end(p)
		if said := strings.Contains(p.Output(), "bye"); said != (name == "stop") {
			t.Errorf("%s: it wrote %q", name, p.Output())
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", p.PID())); !os.IsNotExist(err) {
			t.Errorf("%s: process %d is still there: %v", name, p.PID(), err)
		}
	}
}

func TestACommandThatDoesNotExist(t *testing.T) {
	t.Parallel()
	l := lab.New(t)
	out, err := l.Appliance.Command(t.Context(), "no-such-program").CombinedOutput()
	if _, ok := errors.AsType[*exec.ExitError](err); !ok || !strings.Contains(string(out), "no-such-program") {
		t.Errorf("%v, %q", err, out)
	}
}
