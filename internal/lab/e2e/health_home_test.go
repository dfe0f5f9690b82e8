package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
	"github.com/hearthgate/hearthgate/internal/lab"
)

// The exit codes of `hearthgate check`.
const (
	exitClosed     = 0
	exitExposed    = 1
	exitUnverified = 2
)

// homeVersion is not the stand-in's usual one, so that a neighbour's is another Home Assistant.
const homeVersion = "2026.11.2"

// watchedHome is a started home with a Home Assistant that listens as the real one does, on both families.
func watchedHome(t testing.TB, options ...lab.Option) *home {
	t.Helper()
	h := unstartedHome(t, options...)
	h.liveAt(t, h.HomeAssistant, homeVersion, 8123)
	h.start(t)
	return h
}

// unstartedHome is a home whose appliance knows where Home Assistant is, and nothing runs yet.
func unstartedHome(t testing.TB, options ...lab.Option) *home {
	t.Helper()
	built, err := product()
	if err != nil {
		t.Fatal(err)
	}
	l := lab.New(t, options...)
	dir := l.Appliance.Dir(t)
	h := &home{Lab: l, binary: lab.Share(t, built), state: filepath.Join(dir, "state"), socket: filepath.Join(dir, "s")}
	h.args = []string{"--home-assistant", h.homeAssistantURL(), "--endpoint", h.Public4.String()}
	return h
}

// liveAt puts a Home Assistant on a host. The function that it returns stops it.
func (h *home) liveAt(t testing.TB, on *lab.Host, version string, port int) (stop func()) {
	t.Helper()
	l, err := on.Listen(t.Context(), "tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = standin.New(standin.Options{Version: version}).Serve(ctx, l) // how it ended does not matter: it was stopped
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	if h.LAN4.Contains(on.Addr4) {
		h.acquaint(t, on, on.Addr4, on.Addr6)
	}
	return stop
}

// An outsider is a witness on the internet.
type outsider struct {
	*lab.Host
	home    *home
	state   string
	process *lab.Process
	syns    *lab.Table // counts what it sends to begin connections
}

// outside starts a witness on a server of the internet, as a user without any privilege.
func (h *home) outside(t testing.TB, name string) *outsider {
	t.Helper()
	return h.witnessOn(t, h.AddWitness(t, name))
}

func (h *home) witnessOn(t testing.TB, on *lab.Host) *outsider {
	t.Helper()
	o := &outsider{Host: on, home: h, state: filepath.Join(on.Dir(t), "witness")}
	o.syns = on.Rules(t, `
		counter four { }
		counter six { }
		chain out {
			type filter hook output priority filter
			oifname "eth0" tcp flags & (syn | ack) == syn meta nfproto ipv4 counter name four
			oifname "eth0" tcp flags & (syn | ack) == syn meta nfproto ipv6 counter name six
		}`)
	o.run(t)
	return o
}

// run starts the witness and waits until it can be asked.
func (o *outsider) run(t testing.TB) {
	t.Helper()
	o.process = lab.Start(t, o.Unprivileged(t.Context(), o.home.binary, "witness", "--state-dir", o.state))
	eventually(t, 20*time.Second, "the witness listens\n"+o.process.Output(), func() bool {
		c, err := o.Dial(t.Context(), "tcp", "127.0.0.1:8124")
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// invite is the line that the witness's owner hands over.
func (o *outsider) invite(t testing.TB, addresses ...netip.Addr) string {
	t.Helper()
	if len(addresses) == 0 {
		addresses = []netip.Addr{o.Addr4, o.Addr6}
	}
	args := []string{"witness", "invite", "Our home", "--state-dir", o.state}
	for _, a := range addresses {
		args = append(args, "--address", a.String())
	}
	out, err := o.Unprivileged(t.Context(), o.home.binary, args...).CombinedOutput()
	for word := range strings.FieldsSeq(string(out)) {
		if strings.HasPrefix(word, "hearthgate-witness:") {
			return word
		}
	}
	t.Fatalf("no invite: %v\n%s", err, out)
	return ""
}

// trust gives an invite to the appliance.
func (h *home) trust(t testing.TB, invite string) {
	t.Helper()
	h.do(t, "vantage", "witness", invite)
}

// A verdict is what the API says of the exposure; only what these tests read.
type verdict struct {
	State    string
	Reasons  []string
	Codes    []reason `json:"reason_codes"`
	Next     string
	Families []struct {
		Family  string
		Applies bool
		State   string
		Reasons []reason
		Doors   []struct {
			Port      uint16
			State     string
			Open      bool
			Reasons   []reason
			Addresses []netip.Addr
		}
	}
	Findings []reason
	Complete bool       // of check: the round has ended
	Seen     []sighting // of check
}

// A sighting is what one vantage saw of one port.
type sighting struct {
	Vantage, Seat, Family, State, Why, Identity string
	Address                                     netip.Addr
	Port                                        uint16
	Controls                                    map[string]string
}

type reason struct {
	Code, Text string
	Args       map[string]string
}

// says tells whether a reason is among those of the verdict.
func (v verdict) says(codes ...string) bool {
	return slices.ContainsFunc(v.Codes, func(r reason) bool { return slices.Contains(codes, r.Code) })
}

func (v verdict) family(name string) string {
	for _, f := range v.Families {
		if f.Family == name {
			return f.State
		}
	}
	return ""
}

func (v verdict) door(family string, port uint16) (state string) {
	for _, f := range v.Families {
		for _, d := range f.Doors {
			if f.Family == family && d.Port == port {
				state = d.State
			}
		}
	}
	return state
}

// String is the verdict for people who read a failed test.
func (v verdict) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, next %q\n", v.State, v.Next)
	for _, r := range v.Codes {
		fmt.Fprintf(&b, "  %s %v\n", r.Code, r.Args)
	}
	for _, f := range v.Families {
		fmt.Fprintf(&b, "  %s applies=%v %s\n", f.Family, f.Applies, f.State)
		for _, d := range f.Doors {
			fmt.Fprintf(&b, "    %d %s open=%v %v\n", d.Port, d.State, d.Open, d.Addresses)
			for _, r := range d.Reasons {
				fmt.Fprintf(&b, "      %s %v\n", r.Code, r.Args)
			}
		}
	}
	for _, r := range v.Findings {
		fmt.Fprintf(&b, "  finding %s %v\n", r.Code, r.Args)
	}
	for _, s := range v.Seen {
		fmt.Fprintf(&b, "  seen by %s %s: %s %s port %d: %s %s %s %v\n", s.Vantage, s.Seat, s.Family, s.Address, s.Port, s.State, s.Why, s.Identity, s.Controls)
	}
	return b.String()
}

// checkTime bounds a round of everybody: silence takes a witness half a minute.
const checkTime = 200 * time.Second

// check has everybody look now, and returns how `hearthgate check` ended and the verdict.
func (h *home) check(t testing.TB) (exit int, v verdict) {
	t.Helper()
	return h.beginCheck(t)()
}

// beginCheck has everybody look and does not wait; what it returns does.
func (h *home) beginCheck(t testing.TB) (end func() (exit int, v verdict)) {
	t.Helper()
	type result struct {
		out, errs string
		err       error
	}
	ctx, cancel := context.WithTimeout(t.Context(), checkTime)
	t.Cleanup(cancel)
	began := time.Now()
	ended := make(chan result, 1)
	go func() {
		out, errs, err := h.ask(ctx, "check", "--json", "--wait", "180s")
		ended <- result{out, errs, err}
	}()
	return func() (exit int, v verdict) {
		t.Helper()
		r := <-ended
		if status, ok := errors.AsType[*exec.ExitError](r.err); ok {
			exit = status.ExitCode()
		} else if r.err != nil {
			t.Fatalf("hearthgate check: %v\n%s", r.err, r.errs)
		}
		if err := json.Unmarshal([]byte(r.out), &v); err != nil || exit > exitUnverified || !v.Complete {
			t.Fatalf("hearthgate check: exit code %d, %v, %q, %s", exit, err, r.out, r.errs)
		}
		want := map[string]int{"closed": exitClosed, "exposed": exitExposed, "unverified": exitUnverified}[v.State]
		if exit != want {
			t.Errorf("hearthgate check ended with %d, and the verdict is %v", exit, v)
		}
		t.Logf("checked in %.1f s: %v", time.Since(began).Seconds(), v)
		return exit, v
	}
}

// verdict is the verdict as it stands.
func (h *home) verdict(t testing.TB) (v verdict) {
	t.Helper()
	h.fetchAPI(t, "exposure", &v)
	return v
}

// fetchAPI reads from the API through the daemon's socket.
func (h *home) fetchAPI(t testing.TB, path string, into any) {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", h.socket)
		},
		DisableKeepAlives: true,
	}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://hearthgate/api/v1/"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("asking for %s: %v", path, err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("asking for %s: %d, %v", path, resp.StatusCode, err)
	}
}

// turns are the verdicts in the journal, in order.
func (h *home) turns(t testing.TB) (verdicts []string) {
	t.Helper()
	var events []struct {
		Type string
		Data map[string]string
	}
	h.fetchAPI(t, "journal?type=exposure.changed&limit=1000", &events)
	for _, e := range events {
		verdicts = append(verdicts, e.Data["verdict"])
	}
	return verdicts
}

func count(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// acquaint makes the appliance's kernel know addresses of a host at home as its neighbour's, for good. It would learn and relearn
// them by itself, but all labs of a machine share one table, and when it fills up (128 neighbours, or 512; gc_thresh in the
// kernel's ip-sysctl) a kernel forgets neighbours within seconds: no household's trouble, and not what is tested here.
func (h *home) acquaint(t testing.TB, with *lab.Host, addresses ...netip.Addr) {
	t.Helper()
	for _, a := range addresses {
		h.Appliance.Run(t, "ip", "neighbour", "replace", a.String(), "lladdr", with.MAC.String(), "nud", "permanent", "dev", "eth0")
	}
}
