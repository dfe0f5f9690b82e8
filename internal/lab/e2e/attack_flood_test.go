package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// ceiling is what the product may have resident, in bytes, whatever is done to it.
const ceiling = 64 << 20

// handles counts the file descriptors that the appliance has open, and its threads.
func (h *home) handles(t testing.TB) (files, threads int) {
	t.Helper()
	proc := fmt.Sprintf("/proc/%d/", h.daemon.PID())
	list, err := os.ReadDir(proc + "fd")
	if err != nil {
		t.Fatal(err)
	}
	status, err := os.ReadFile(proc + "status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if n, ok := strings.CutPrefix(line, "Threads:"); ok {
			threads, _ = strconv.Atoi(strings.TrimSpace(n)) // proc(5) says that it is a number
		}
	}
	return len(list), threads
}

// addresses gives a host more IPv4 addresses on its link, as whoever owns a machine can.
func addresses(t testing.TB, on *lab.Host, prefix string, n int) (all []netip.Addr) {
	t.Helper()
	for i := range n {
		addr := netip.MustParseAddr(prefix + strconv.Itoa(i+1))
		bits := "24"
		if addr.Is6() {
			bits = "64"
		}
		args := []string{"addr", "add", addr.String() + "/" + bits, "dev", "eth0"}
		if addr.Is6() {
			args = append(args, "nodad")
		}
		on.Run(t, "ip", args...)
		all = append(all, addr)
	}
	return all
}

// A crowd is many connections of one machine.
type crowd []net.Conn

// rush opens n connections one after the other, from the given address (zero: any), and writes hello on each. It gives those that are
// there, open or reset by now.
func rush(on *lab.Host, from netip.Addr, to string, n int, hello string) (c crowd, err error) {
	dialer := net.Dialer{Timeout: 5 * time.Second}
	if from.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	err = on.Do(func() error {
		for range n {
			conn, err := dialer.DialContext(context.Background(), "tcp", to)
			switch {
			case errors.Is(err, syscall.ECONNRESET):
				continue // refused before the kernel told us that it was there
			case err != nil:
				return err
			}
			c = append(c, conn)
			_, _ = io.WriteString(conn, hello) // it may have been reset
		}
		return nil
	})
	return c, err
}

func (c crowd) close() {
	for _, conn := range c {
		conn.Close()
	}
}

// open counts those that the other end keeps open.
func (c crowd) open() (n int) {
	for _, conn := range c {
		_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond)) // it may be closed
		if _, err := conn.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			n++
		}
	}
	return n
}

// TestAttackTenThousandConnections: one machine opens ten thousand connections to the page, and then two do; each keeps no more than its
// share, everybody else still gets their page at once, memory stays bounded, and when they go everything is as it was.
func TestAttackTenThousandConnections(t *testing.T) {
	h := standinHome(t)
	h.claim(t)
	other := h.AddDevice(t, "other")
	noisy := []*lab.Host{h.AddDevice(t, "noisy1"), h.AddDevice(t, "noisy2")}
	if err := h.pageWithin(t.Context(), other, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	before, threads := h.handles(t)
	var crowds crowd
	for i, on := range noisy {
		began := time.Now()
		c, err := rush(on, netip.Addr{}, h.pageAddress(), 10_000/(i+1), "")
		if err != nil {
			t.Logf("%s: %v after %d connections", on.Name, err, len(c))
		}
		crowds = append(crowds, c...)
		for range 5 {
			if err := h.pageWithin(t.Context(), other, 2*time.Second); err != nil {
				t.Errorf("another machine, beside %s: %v", on.Name, err)
			}
		}
		files, _ := h.handles(t)
		t.Logf("%s: %d connections in %v; the appliance has %d files, %d MiB at most", on.Name, len(c), time.Since(began), files, h.memory(t).peak>>20)
		if kept := c.open(); kept > 64+4 { // a few may be on their way out when they are counted
			t.Errorf("%s keeps %d connections", on.Name, kept)
		}
	}
	if peak := h.memory(t).peak; peak > ceiling {
		t.Errorf("the appliance used %d MiB", peak>>20)
	}
	crowds.close()
	eventually(t, 10*time.Second, "the connections are gone", func() bool { files, _ := h.handles(t); return files <= before+2 })
	if _, now := h.handles(t); now > threads+16 {
		t.Errorf("%d threads, %d before", now, threads)
	}
}
