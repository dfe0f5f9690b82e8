package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/hearthgate/hearthgate/internal/clock"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/tunnel"
)

// demo shows the promise in one process: the appliance as `run` builds it, a stand-in for Home Assistant, and two
// phones, each with a WireGuard and a network stack of its own. Nothing leaves this machine: packets cross the loopback
// interface encrypted, and what a phone aims elsewhere ends in the tunnel.
func (p *program) demo(ctx context.Context, args []string) error {
	if _, err := p.parse(p.flags("demo"), args); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	began := time.Now()
	dir, err := os.MkdirTemp("", "hearthgate-demo-")
	if err != nil {
		return fmt.Errorf("making a directory for the demo: %w", err)
	}
	defer os.RemoveAll(dir)
	d := &demo{program: p, dir: dir}
	leaks, err := d.show(ctx)
	if err != nil {
		return fmt.Errorf("showing the demo: %w", err)
	}
	fmt.Fprintf(p.stdout, "\nDone in %.1f s. ", time.Since(began).Seconds())
	if leaks > 0 {
		fmt.Fprintln(p.stdout)
		return fmt.Errorf("%d of the attempts did not end as they must", leaks)
	}
	fmt.Fprintln(p.stdout, "The phone reached Home Assistant and nothing else.")
	return nil
}

type demo struct {
	program *program
	dir     string
	a       *appliance
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.program.stdout, format+"\n", args...) }

// show runs the appliance for as long as the demo takes and returns how many attempts ended as they must not.
func (d *demo) show(ctx context.Context) (leaks int, err error) {
	home, err := listenLoopback(ctx)
	if err != nil {
		return 0, err
	}
	ctx, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- standin.New(standin.Options{}).Serve(ctx, home) }()

	s := settings{
		stateDir: filepath.Join(d.dir, "state"), socket: filepath.Join(d.dir, "hg.sock"),
		homeAssistant: "http://" + home.Addr().String(), logger: quiet(),
	}
	if d.a, err = build(s, clock.System()); err != nil {
		stop()
		return 0, err
	}
	ready := make(chan struct{})
	ran := make(chan error, 1)
	go func() {
		ran <- d.a.run(ctx, func(context.Context) error { close(ready); return nil })
	}()
	select {
	case <-ready:
		leaks, err = d.scenes(ctx, home.Addr().String())
	case failed := <-ran:
		stop()
		return 0, errors.Join(failed, d.a.close())
	}
	stop()
	return leaks, errors.Join(err, <-ran, <-served, d.a.close())
}

func listenLoopback(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	return lc.Listen(ctx, "tcp", "127.0.0.1:0")
}

// scenes is what one sees, in order.
func (d *demo) scenes(ctx context.Context, home string) (leaks int, err error) {
	d.say("A stand-in for Home Assistant answers at http://%s.", home)
	d.say("The appliance listens on UDP port %d, without root and without a TUN device.\n", d.a.tunnel.ListenPort())
	if state := firstLook(ctx, d.a.home); state.Phase != homeassistant.Found {
		return 0, errors.New(state.Reason)
	}
	anna, annaPhone, err := d.enrol("Anna's phone")
	if err != nil {
		return 0, err
	}
	defer annaPhone.Close()
	ben, benPhone, err := d.enrol("Ben's phone")
	if err != nil {
		return 0, err
	}
	defer benPhone.Close()
	d.say("Two phones are enrolled, each from the config that its QR code holds. Anna has edited hers to send everything\n" +
		"into the tunnel (AllowedIPs 0.0.0.0/0, ::/0).\n")
	leaks, err = d.attempts(ctx, annaPhone, benPhone, ben)
	if err != nil {
		return leaks, err
	}
	cut, err := d.cut(ctx, anna, annaPhone)
	if err != nil {
		return leaks, err
	}
	d.say("\nAnna's phone is removed: its open connection ended after %d ms, and it no longer gets in.", cut.Milliseconds())
	return leaks, nil
}

// enrol adds a phone and starts it from its own config's text, as an app would.
func (d *demo) enrol(name string) (peers.Peer, *tunnel.Phone, error) {
	e, err := d.a.peers.Add(peers.AddRequest{Name: name})
	if err != nil {
		return peers.Peer{}, nil, err
	}
	listen := net.JoinHostPort("127.0.0.1", strconv.Itoa(int(d.a.tunnel.ListenPort())))
	config, err := e.Config(d.a.server, listen)
	if err != nil {
		return peers.Peer{}, nil, err
	}
	scanned, err := peers.ParseClientConfig(config.Text())
	if err != nil {
		return peers.Peer{}, nil, err
	}
	phone, err := tunnel.NewPhone(scanned, true)
	return e.Peer, phone, err
}

// cut removes a peer while it has a connection open and says how long that connection lived on.
func (d *demo) cut(ctx context.Context, peer peers.Peer, phone *tunnel.Phone) (time.Duration, error) {
	c, err := phone.DialContext(ctx, "tcp", d.inside(d.a.server.Address4, 8123))
	if err != nil {
		return 0, fmt.Errorf("opening a connection to be cut: %w", err)
	}
	defer c.Close()
	// A request without its end: Home Assistant waits for the rest, so the connection stays open until it is cut.
	if _, err := c.Write([]byte("GET / HTTP/1.1\r\n")); err != nil {
		return 0, fmt.Errorf("using the connection to be cut: %w", err)
	}
	began := time.Now()
	if err := d.a.peers.Remove(peer.ID); err != nil {
		return 0, err
	}
	if err := c.SetReadDeadline(began.Add(5 * time.Second)); err != nil {
		return 0, err
	}
	_, err = c.Read(make([]byte, 1))
	took := time.Since(began)
	if timeout, ok := errors.AsType[net.Error](err); (ok && timeout.Timeout()) || took > time.Second {
		return took, fmt.Errorf("the connection of a removed phone stayed open for %.1f s", took.Seconds())
	}
	attempt := try{address: d.inside(d.a.server.Address4, 8123), network: "tcp", through: phone, patience: time.Second}
	if got := attempt.run(ctx); got.reached {
		return took, errors.New("a removed phone still reaches Home Assistant")
	}
	return took, nil
}

func (d *demo) inside(addr netip.Addr, port uint16) string {
	return netip.AddrPortFrom(addr, port).String()
}
