package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A Host is one machine of the household or of the internet. Its namespaces are held by a process that sleeps; its
// own are the network, the host name and the mounts of /run, /etc/hosts and /etc/resolv.conf.
type Host struct {
	Name  string
	Addr4 netip.Addr       // on its link eth0; on the two routers, the address that their clients see
	Addr6 netip.Addr       // global; link-local addresses come by themselves
	MAC   net.HardwareAddr // of eth0; nil on the two routers

	by     way
	holder *exec.Cmd
	life   io.Closer // the holder's standard input, at whose end it ends
	netns  *os.File
	mounts *os.File
	uts    *os.File
}

// settle runs in a new host's bare namespaces: $1 is the host's name. What a container forbids and no test needs (a
// fresh /sys, a host name) may fail. Then it waits for its standard input to end, and the host with it.
const settle = `set -e
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
[ -L /var/run ] || mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /var/run
mount -t sysfs sysfs /sys 2>/dev/null || :
hostname "$1" 2>/dev/null || :
ip link set dev lo up
: >/run/hosts
: >/run/resolv.conf
[ ! -e /etc/hosts ] || mount --bind /run/hosts /etc/hosts
[ ! -e /etc/resolv.conf ] || mount --bind /run/resolv.conf /etc/resolv.conf
echo settled
exec cat >/dev/null`

// settleTime is generous: it takes 10 ms, but machines that test are busy.
const settleTime = 30 * time.Second

// raise makes a host that has nothing but its loopback.
func raise(name string, addr4, addr6 netip.Addr) (*Host, error) {
	by, refusal := inside()
	if refusal != "" {
		return nil, errors.New(refusal)
	}
	h := &Host{Name: name, Addr4: addr4, Addr6: addr6, by: by}
	h.holder = exec.CommandContext(context.Background(), "/bin/sh", "-c", settle, "sh", name)
	h.isolate()
	if err := h.start(); err != nil {
		return nil, fmt.Errorf("raising host %s: %w", name, err)
	}
	if err := h.settings(); err != nil {
		h.fell()
		return nil, fmt.Errorf("raising host %s: %w", name, err)
	}
	return h, nil
}

func (h *Host) start() error {
	life, err := h.holder.StdinPipe()
	if err != nil {
		return err
	}
	out, err := h.holder.StdoutPipe()
	if err != nil {
		return err
	}
	complaint := new(output)
	h.holder.Stderr = complaint
	if err := h.holder.Start(); err != nil {
		return err
	}
	h.life = life
	slow := time.AfterFunc(settleTime, func() { _ = h.holder.Process.Kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	slow.Stop()
	if err != nil || line != "settled\n" {
		h.fell()
		return fmt.Errorf("settling: %q %s", line, complaint)
	}
	return h.openNamespaces()
}

// openNamespaces keeps the namespaces at hand for Do, so that they last as long as somebody works in them.
func (h *Host) openNamespaces() error {
	for name, file := range map[string]**os.File{"net": &h.netns, "mnt": &h.mounts, "uts": &h.uts} {
		f, err := os.Open(filepath.Join("/proc", h.id(), "ns", name))
		if err != nil {
			h.fell()
			return err
		}
		*file = f
	}
	return nil
}

// settings makes every host plain and quick: no source address check that a second default route would trip over
// (RFC 3704), no waiting for duplicate addresses (RFC 4862), a bridge that does not pass frames through nftables, and echo
// requests for everybody.
func (h *Host) settings() error {
	return h.Do(func() error {
		for key, value := range map[string]string{
			"net/ipv4/conf/all/rp_filter":         "0",
			"net/ipv4/conf/default/rp_filter":     "0",
			"net/ipv6/conf/default/accept_dad":    "0",
			"net/ipv6/conf/all/accept_dad":        "0",
			"net/bridge/bridge-nf-call-iptables":  "0",
			"net/bridge/bridge-nf-call-ip6tables": "0",
			"net/bridge/bridge-nf-call-arptables": "0",
		} {
			err := os.WriteFile("/proc/sys/"+key, []byte(value), 0)
			if errors.Is(err, os.ErrNotExist) && strings.HasPrefix(key, "net/bridge/") {
				continue // the module is not loaded, and then nothing passes frames
			}
			if err != nil {
				return err
			}
		}
		return everybodyPings()
	})
}

// everybodyPings lets users send echo requests (icmp(7), ping_group_range), as Debian's systemd does
// (sysctl.d/50-default.conf); in a user's own lab there is one group only.
func everybodyPings() error {
	const key = "/proc/sys/net/ipv4/ping_group_range"
	err := os.WriteFile(key, []byte("0 2147483647"), 0)
	if errors.Is(err, syscall.EINVAL) {
		err = os.WriteFile(key, []byte("0 0"), 0)
	}
	return err
}

// id is the holder's process id.
func (h *Host) id() string { return strconv.Itoa(h.holder.Process.Pid) }

// Path is where the test finds a file that the host knows as name: for /run, which is the host's own.
func (h *Host) Path(name string) string {
	return filepath.Join("/proc", h.id(), "root", name)
}

// Dir makes a directory for the process that Unprivileged starts: owned by its user, mode 0700, on the machine's disk
// and therefore with the same name for everybody, and removed at the end of the test.
func (h *Host) Dir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	// Its parent is 0700 too, made by testing for all directories of this test, and another user must pass through it.
	if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
		t.Fatalf("making a directory for %s: %v", h.Name, err)
	}
	if err := errors.Join(os.Chmod(dir, 0o700), os.Chown(dir, h.user(), h.user())); err != nil {
		t.Fatalf("making a directory for %s: %v", h.Name, err)
	}
	return dir
}

// fell ends a host with every process on it, and its namespaces with them.
func (h *Host) fell() {
	if h.life != nil {
		h.life.Close()
	}
	if h.holder.Process != nil {
		h.endProcesses()
		_ = h.holder.Wait() // killed, which is no news
	}
	for _, f := range []*os.File{h.netns, h.mounts, h.uts} {
		f.Close() // a nil file says so, and that is all
	}
}

// endProcesses kills what still runs in the host's network namespace, this process excepted, until nothing does: a
// process that is killed may just have made another. All process ids in this /proc are the lab's own.
func (h *Host) endProcesses() {
	home, err := os.Readlink(filepath.Join("/proc", h.id(), "ns", "net"))
	if err != nil {
		return
	}
	for range 100 {
		lives := false
		links, _ := filepath.Glob("/proc/[0-9]*/ns/net")
		for _, link := range links {
			pid, err := strconv.Atoi(strings.Split(link, "/")[2])
			if err != nil || pid == os.Getpid() {
				continue
			}
			if at, err := os.Readlink(link); err != nil || at != home {
				continue
			}
			lives = true
			if process, err := os.FindProcess(pid); err == nil {
				_ = process.Kill()
			}
		}
		if !lives {
			return
		}
		time.Sleep(time.Millisecond)
	}
}
