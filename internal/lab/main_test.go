package lab_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// echoVar makes the test binary a UDP echo on the address in it, the program that the tests put on the appliance.
const echoVar = "LAB_TEST_ECHO"

func TestMain(m *testing.M) {
	if address := os.Getenv(echoVar); address != "" {
		fmt.Fprintln(os.Stderr, echo(address))
		os.Exit(1)
	}
	lab.Main(m)
}

func echo(address string) error {
	conn, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp", address)
	if err != nil {
		return err
	}
	fmt.Println("echoing")
	buffer := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return err
		}
		if _, err := conn.WriteTo([]byte(from.String()+" said "+string(buffer[:n])), from); err != nil {
			return err
		}
	}
}

// startEcho puts the echo on a host, without privileges.
func startEcho(t *testing.T, h *lab.Host, address string) *lab.Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := h.Unprivileged(t.Context(), lab.Share(t, self))
	cmd.Env = append(cmd.Env, echoVar+"="+address)
	p := lab.Start(t, cmd)
	p.WaitFor(t, "echoing", patient)
	return p
}

// How long an answer is waited for that should come, on a machine that is busy, and one that should not.
const (
	patient = 20 * time.Second
	brief   = time.Second
)

// ask sends one datagram and returns the answer, empty when there is none within limit.
func ask(t *testing.T, h *lab.Host, to netip.AddrPort, limit time.Duration) string {
	t.Helper()
	conn, err := h.Dial(t.Context(), "udp", to.String())
	if err != nil {
		return ""
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(limit))
	_, _ = conn.Write([]byte("hello"))
	buffer := make([]byte, 2048)
	n, _ := conn.Read(buffer)
	return string(buffer[:n])
}

// greeted tells whether a bait can be reached and heard.
func greeted(t *testing.T, h *lab.Host, to netip.AddrPort) bool {
	t.Helper()
	conn, err := h.Dial(t.Context(), "tcp", to.String())
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patient))
	text, err := io.ReadAll(conn)
	return err == nil && strings.HasPrefix(string(text), "bait on ")
}

// reaches tells whether a TCP connection can be made, within a time in which it would be.
func reaches(t *testing.T, h *lab.Host, to netip.AddrPort) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), brief)
	defer cancel()
	conn, err := h.Dial(ctx, "tcp", to.String())
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
