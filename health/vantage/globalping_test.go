package vantage

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/hearthgate/hearthgate/health"
)

func TestGlobalping(t *testing.T) {
	t.Parallel()
	held := health.Controls{
		PathBefore: health.Held, PathAfter: health.Held, Canary: health.Held, Address: health.Held, Outside: health.Held,
	}
	answered := held
	answered.Reach = health.Held
	reached := answered
	reached.Decoy = health.Held

	for _, test := range []struct {
		name     string
		world    func(t *testing.T, b *gpBench)
		state    health.State
		why      health.Code
		identity health.Identity
		controls health.Controls
	}{
		{"our Home Assistant is open", func(t *testing.T, b *gpBench) {
			ha := httptest.NewServer(manifests(ourManifest))
			t.Cleanup(ha.Close)
			b.world.ports[8123] = leads(ha.Listener.Addr().String())
			b.learnHome(t, ha.Listener.Addr().String())
		}, health.PortOpen, health.Connected, health.OurHome, reached},
		{"our Home Assistant is open to one probe only", func(t *testing.T, b *gpBench) {
			ha := httptest.NewServer(manifests(ourManifest))
			t.Cleanup(ha.Close)
			b.world.only["Reno"] = map[uint16]dialer{8123: leads(ha.Listener.Addr().String())}
			b.learnHome(t, ha.Listener.Addr().String())
		}, health.PortOpen, health.Connected, health.OurHome, reached},
		{"our Home Assistant with TLS is open", func(t *testing.T, b *gpBench) {
			ha := httptest.NewUnstartedServer(manifests(ourManifest))
			ha.Config.ErrorLog = log.New(io.Discard, "", 0)
			ha.StartTLS()
			t.Cleanup(ha.Close)
			b.world.ports[8123] = leads(ha.Listener.Addr().String())
			b.learnHome(t, ha.Listener.Addr().String())
		}, health.PortOpen, health.Connected, health.OurHome, reached},
		{"another Home Assistant is open", func(t *testing.T, b *gpBench) {
			ours, theirs := httptest.NewServer(manifests(ourManifest)), httptest.NewServer(manifests(theirManifest))
			t.Cleanup(ours.Close)
			t.Cleanup(theirs.Close)
			b.world.ports[8123] = leads(theirs.Listener.Addr().String())
			b.learnHome(t, ours.Listener.Addr().String())
		}, health.PortOpen, health.Connected, health.SomeHome, reached},
		{"something that is no HTTP is open", func(t *testing.T, b *gpBench) {
			b.world.ports[8123] = listens(t, func(c net.Conn) {
				_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_10.0\r\n")
				_, _ = bufio.NewReader(c).ReadString('\n')
			})
		}, health.PortOpen, health.Connected, health.Something, reached},
		{"something accepts and is silent", func(t *testing.T, b *gpBench) {
			b.world.ports[8123] = listens(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
		}, health.PortOpen, health.Connected, health.Something, reached},
		{"something accepts and hangs up", func(t *testing.T, b *gpBench) {
			b.world.ports[8123] = listens(t, func(net.Conn) {})
		}, health.PortOpen, health.Connected, health.Something, reached},
		{"a middlebox accepts every port", func(t *testing.T, b *gpBench) {
			b.world.every = listens(t, func(net.Conn) {})
		}, health.PortOpen, health.Connected, health.Something, func() health.Controls {
			c := reached
			c.Decoy = health.Failed
			return c
		}()},
		{"refused", func(_ *testing.T, b *gpBench) {
			b.world.ports[8123] = fails(syscall.ECONNREFUSED)
		}, health.PortClosed, health.Refused, health.Nobody, answered},
		{"a router says no", func(_ *testing.T, b *gpBench) {
			b.world.ports[8123] = fails(syscall.EHOSTUNREACH)
		}, health.PortFiltered, health.Rejected, health.Nobody, held},
		{"silence", func(*testing.T, *gpBench) {}, health.PortFiltered, health.NoAnswer, health.Nobody, held},
		{"refused to one and silent to others", func(_ *testing.T, b *gpBench) {
			b.world.only["Jena"] = map[uint16]dialer{8123: fails(syscall.ECONNREFUSED)}
		}, health.PortFiltered, health.NoAnswer, health.Nobody, held},
		{"no canary", func(_ *testing.T, b *gpBench) {
			b.setup.Canary = false
			b.world.ports[8123] = fails(syscall.ECONNREFUSED)
		}, health.PortClosed, health.PathInferred, health.Nobody, health.Controls{
			Reach: health.Held, Address: health.Held, Outside: health.Held,
		}},
		{"the canary is not seen", func(_ *testing.T, b *gpBench) {
			delete(b.world.ports, gpCanaryPort)
		}, health.PortFiltered, health.NoAnswer, health.Nobody, health.Controls{
			PathBefore: health.Failed, PathAfter: health.Failed, Canary: health.Failed, Address: health.Held, Outside: health.Held,
		}},
		{"one probe does not see the canary", func(_ *testing.T, b *gpBench) {
			b.world.only["Jena"] = map[uint16]dialer{gpCanaryPort: fails(syscall.ECONNREFUSED)}
		}, health.PortFiltered, health.NoAnswer, health.Nobody, health.Controls{
			PathBefore: health.Failed, PathAfter: health.Failed, Canary: health.Failed, Address: health.Held, Outside: health.Held,
		}},
		{"a canary that may be hidden is not seen", func(_ *testing.T, b *gpBench) {
			delete(b.world.ports, gpCanaryPort)
			b.sure = false
		}, health.PortFiltered, health.PathInferred, health.Nobody, health.Controls{Address: health.Held, Outside: health.Held}},
		{"the canary is seen, but nobody came", func(t *testing.T, b *gpBench) {
			b.world.ports[gpCanaryPort] = listens(t, func(net.Conn) {})
		}, health.PortFiltered, health.NoAnswer, health.Nobody, func() health.Controls {
			c := held
			c.Canary = health.Failed
			return c
		}()},
		{"the probes are shut out after the port", func(_ *testing.T, b *gpBench) {
			b.world.ports[8123] = func(ctx context.Context) (net.Conn, error) {
				b.world.mu.Lock()
				delete(b.world.ports, gpCanaryPort)
				b.world.mu.Unlock()
				return silent(ctx)
			}
		}, health.PortFiltered, health.NoAnswer, health.Nobody, health.Controls{
			PathBefore: health.Held, PathAfter: health.Failed, Canary: health.Failed, Address: health.Held, Outside: health.Held,
		}},
		{"a probe is offline", func(_ *testing.T, b *gpBench) {
			b.probes[1].Offline = true
		}, health.Untested, health.FewProbes, health.Nobody, health.Controls{}},
		{"a probe's own network fails", func(_ *testing.T, b *gpBench) {
			b.world.only["Jena"] = map[uint16]dialer{8123: fails(syscall.EACCES)}
		}, health.Untested, health.FewProbes, health.Nobody, health.Controls{}},
		{"all probes stand in one network", func(_ *testing.T, b *gpBench) {
			for i := range b.probes {
				b.probes[i].ASN = 101
			}
		}, health.Untested, health.FewProbes, health.Nobody, health.Controls{}},
		{"there are no probes", func(_ *testing.T, b *gpBench) {
			b.probes = nil
		}, health.Untested, health.FewProbes, health.Nobody, health.Controls{}},
		{"there are no probes in the home's country", func(_ *testing.T, b *gpBench) {
			b.probes[0].Country, b.probes[1].Country = "FR", "IT"
			b.probes[2].Country = "FR"
		}, health.PortFiltered, health.NoAnswer, health.Nobody, held},
		{"the address is not known", func(_ *testing.T, b *gpBench) {
			b.facts.Public = nil
		}, health.Untested, health.PublicUnknown, health.Nobody, health.Controls{}},
		{"the address is a carrier's", func(_ *testing.T, b *gpBench) {
			b.facts.Public[health.IPv4] = health.Public{Standing: health.Known, Address: netip.MustParseAddr("100.64.1.1")}
		}, health.Untested, health.Shared, health.Nobody, health.Controls{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			test.world(t, b)
			o := b.one(t)
			if o.State != test.state || o.Why != test.why || o.Identity != test.identity || o.Controls != test.controls {
				t.Errorf("saw %s, %s, %s, %+v;\nwant %s, %s, %s, %+v", o.State, o.Why, o.Identity, o.Controls,
					test.state, test.why, test.identity, test.controls)
			}
			if o.Began.After(o.At) || o.Family != health.IPv4 || o.Port != 8123 || o.Args != nil && strings.Contains(o.Args["from"], "{") {
				t.Errorf("a strange observation: %+v", o)
			}
		})
	}
}

func TestGlobalpingAsksBothFamiliesWithinItsRation(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		port  uint16
		tests int // besides the canary's
		doors int
	}{{8123, 12, 2}, {8443, 12, 4}} {
		t.Run(fmt.Sprint(test.port), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.facts.Home = health.Home{Found: true, Port: test.port, IPv6: health.Known, Global6: []netip.Addr{gpHome6}}
			b.facts.Own6 = b.facts.Home.Global6
			seen := b.look(t)
			if len(seen) != test.doors {
				t.Fatalf("%d observations, want %d: %+v", len(seen), test.doors, seen)
			}
			for _, o := range seen {
				if o.State != health.PortFiltered || o.Controls.Canary != health.Held {
					t.Errorf("saw %+v", o)
				}
			}
			tests := 0
			for _, q := range b.server.Asked() {
				if q.Options.Protocol == "" || q.Type == "http" && (q.Options.Request.Method != "GET" || q.Options.Request.Path != "/manifest.json") {
					t.Errorf("asked %+v", q)
				}
				if q.Options.Port != gpCanaryPort {
					tests += 3
				}
			}
			if tests != test.tests {
				t.Errorf("the run cost %d tests, want %d", tests, test.tests)
			}
		})
	}
}

func TestGlobalpingLooksAtTheDoorsBesides(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.doors = true
	ha := httptest.NewServer(manifests(ourManifest))
	t.Cleanup(ha.Close)
	b.world.ports[443] = leads(ha.Listener.Addr().String())
	b.learnHome(t, ha.Listener.Addr().String())
	want := map[uint16]health.State{
		8123: health.PortFiltered, 80: health.PortFiltered, 443: health.PortOpen, 8443: health.PortFiltered,
	}
	for _, o := range b.look(t) {
		if o.State != want[o.Port] || o.Controls.Canary != health.Held || (o.Identity == health.OurHome) != (o.Port == 443) {
			t.Errorf("saw %+v", o)
		}
		delete(want, o.Port)
	}
	if len(want) > 0 {
		t.Errorf("not looked at: %v", want)
	}
}

func TestGlobalpingIsNotAskedUnlessSwitchedOn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.setup.Globalping = false
	if seen := b.look(t); seen != nil || len(b.server.Asked()) > 0 {
		t.Errorf("it saw %+v and asked %+v", seen, b.server.Asked())
	}
}
