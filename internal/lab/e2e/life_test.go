package e2e

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

func TestThePhoneComesInFromTheInternet(t *testing.T) {
	h := standinHome(t)
	h.daemon.AssertUnprivileged(t)
	on, _ := h.phone(t, "anna", "Anna's phone", lab.Allowed)
	inside := h.status(t).Tunnel
	for _, address := range []string{inside.IPv4, inside.IPv6} {
		code, err := fetch(t.Context(), on, "http://"+net.JoinHostPort(address, "8123")+"/")
		if err != nil || code != 200 {
			t.Errorf("Home Assistant at %s: %d, %v", address, code, err)
		}
	}
	on.Run(t, "ping", "-c", "1", "-W", "5", inside.IPv4)
	on.Run(t, "ping", "-c", "1", "-W", "5", inside.IPv6)
	eventually(t, 5*time.Second, "the phone is active", func() bool {
		var list []peer
		h.decode(t, &list, "peer", "list", "--json")
		return len(list) == 1 && list[0].State == "active"
	})
	for _, event := range []string{"peer.added", "peer.first_handshake", "peer.connected"} {
		h.daemon.WaitFor(t, event, 5*time.Second)
	}
}

func TestWithoutAnEndpointThePhoneComesInAtHome(t *testing.T) {
	h := newHome(t)
	h.args = []string{"--home-assistant", "http://192.168.77.20:8123"} // nobody there yet: that is a state, not a failure
	h.start(t)
	s := h.status(t)
	if s.Endpoint.Scope != "lan" || s.Endpoint.Address != h.Appliance.Addr4.String()+":51820" {
		t.Errorf("endpoint: %+v", s.Endpoint)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	config, told, err := h.ask(ctx, "peer", "add", "Anna", "--conf")
	if err != nil || !strings.Contains(told, "at home only until an endpoint is set") {
		t.Errorf("peer add: %v, %q", err, told)
	}
	at := h.AddDevice(t, "annaathome")
	if !at.WireGuard(t, config, lab.Allowed).Handshake(t, 15*time.Second) {
		t.Error("no handshake on the LAN")
	}
	if s.HomeAssistant.Phase == "found" {
		t.Errorf("Home Assistant is found where nobody is: %+v", s.HomeAssistant)
	}
	// A target that is down is a prompt reset, not a connection that hangs.
	began := time.Now()
	c, err := at.Dial(t.Context(), "tcp", net.JoinHostPort(s.Tunnel.IPv4, "8123"))
	if err == nil {
		c.Close()
	}
	if !errors.Is(err, syscall.ECONNREFUSED) || time.Since(began) > 5*time.Second {
		t.Errorf("Home Assistant is down: got %v after %v", err, time.Since(began))
	}
}

// openConnection has a connection to Home Assistant that stays open until somebody ends it.
func openConnection(t testing.TB, from *lab.Host, address string) net.Conn {
	t.Helper()
	c, err := from.Dial(t.Context(), "tcp", net.JoinHostPort(address, "8123"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return c
}

// cutAfter is how long a connection lives on.
func cutAfter(t testing.TB, c net.Conn) time.Duration {
	t.Helper()
	began := time.Now()
	if err := c.SetReadDeadline(began.Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	_, err := io.Copy(io.Discard, c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection was still open after 10 s")
	}
	return time.Since(began)
}

func TestTakingAccessAwayCutsWithinASecond(t *testing.T) {
	h := standinHome(t)
	inside := h.status(t).Tunnel.IPv4
	other, _ := h.phone(t, "other", "Other", lab.Allowed)
	witness := openConnection(t, other, inside)
	for i, take := range []struct {
		how string
		do  func(name string)
	}{
		{"remove", func(name string) { h.do(t, "peer", "remove", name) }},
		{"disable", func(name string) { h.do(t, "peer", "disable", name) }},
		{"expire", func(name string) {
			h.do(t, "peer", "expire", name, time.Now().Add(2*time.Second).UTC().Format(time.RFC3339Nano))
		}},
		{"services", func(name string) { h.do(t, "peer", "services", name, "camera") }},
	} {
		if take.how == "services" {
			h.do(t, "service", "add", "camera", "192.168.77.30:80", "--port", "8081")
		}
		name := "Phone " + take.how
		on, _ := h.phone(t, fmt.Sprintf("phone%d", i), name, lab.Allowed)
		c := openConnection(t, on, inside)
		take.do(name)
		wait := time.Second
		if take.how == "expire" {
			wait += 2 * time.Second
		}
		if took := cutAfter(t, c); took > wait {
			t.Errorf("%s: the connection was cut after %v", take.how, took)
		}
		if c, err := dialFor(t, on, net.JoinHostPort(inside, "8123"), 3*time.Second); err == nil {
			c.Close()
			t.Errorf("%s: the phone still gets in", take.how)
		}
	}
	// Everybody else's session went on.
	fmt.Fprint(witness, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if err := witness.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := witness.Read(make([]byte, 1)); err != nil {
		t.Errorf("another phone's connection did not live through it: %v", err)
	}
}

func dialFor(t testing.TB, from *lab.Host, address string, limit time.Duration) (net.Conn, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return from.Dial(ctx, "tcp", address)
}

func TestRekeyKeepsTheOldKeyUntilTheNewOneIsUsed(t *testing.T) {
	h := standinHome(t)
	inside := h.status(t).Tunnel.IPv4
	old, _ := h.phone(t, "old", "Anna", lab.Allowed)
	c := openConnection(t, old, inside)
	config := h.do(t, "peer", "rekey", "Anna", "--conf")
	if code, err := fetch(t.Context(), old, "http://"+inside+":8123/"); err != nil || code != 200 {
		t.Errorf("the old key stopped before the new one was used: %d, %v", code, err)
	}
	fresh := h.AddPhone(t, "fresh")
	if !fresh.WireGuard(t, config, lab.Allowed).Handshake(t, 15*time.Second) {
		t.Fatal("no handshake with the new key")
	}
	if took := cutAfter(t, c); took > 3*time.Second {
		t.Errorf("the old key's connection was cut %v after the new key's handshake", took)
	}
	if code, err := fetch(t.Context(), fresh, "http://"+inside+":8123/"); err != nil || code != 200 {
		t.Errorf("the new key: %d, %v", code, err)
	}
	if c, err := dialFor(t, old, net.JoinHostPort(inside, "8123"), 3*time.Second); err == nil {
		c.Close()
		t.Error("the old key still gets in")
	}
	var p peer
	h.decode(t, &p, "peer", "show", "Anna", "--json")
	if p.State != "active" {
		t.Errorf("peer: %+v", p)
	}
}

func TestSIGTERMEndsCleanlyAndSessionsGoOnAfterARestart(t *testing.T) {
	h := standinHome(t)
	inside := h.status(t).Tunnel.IPv4
	on, tunnel := h.phone(t, "anna", "Anna", lab.Allowed)
	openConnection(t, on, inside)
	began := time.Now()
	h.daemon.Stop(t)
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("from SIGTERM to the end: %v", took)
	}
	h.start(t)
	tunnel.Knock(t)
	eventually(t, 20*time.Second, "the phone is back after a restart", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		code, err := fetch(ctx, on, "http://"+inside+":8123/")
		return err == nil && code == 200
	})
}

func TestWhoeverScansTheCodeIsToldWhenThePhoneHasComeIn(t *testing.T) {
	h := standinHome(t)
	lab.Need(t, "script")
	// script(1) gives the command a terminal, which is when it shows a code and waits.
	cmd := h.Appliance.Unprivileged(t.Context(), "script", "-qec", h.binary+" peer add Anna --socket "+h.socket, "/dev/null")
	cmd.Env = append(cmd.Env, "TERM=xterm")
	adding := lab.Start(t, cmd)
	adding.WaitFor(t, "Waiting for Anna", 20*time.Second)
	config := scan(t, adding.Output())
	on := h.AddPhone(t, "anna")
	if !on.WireGuard(t, config, lab.Allowed).Handshake(t, 15*time.Second) {
		t.Fatal("no handshake")
	}
	adding.WaitFor(t, "Connected: Anna reached your home", 10*time.Second)
	if err := adding.Wait(t.Context()); err != nil {
		t.Errorf("peer add ended with %v", err)
	}
}
