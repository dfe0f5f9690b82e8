package gate

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
)

func TestServiceChecked(t *testing.T) {
	for _, tc := range []struct {
		in         Service
		target     string // as it is kept; empty: refused
		port       uint16
		complaints string
	}{
		{in: Service{Name: "grafana", Target: "192.168.1.5:3000"}, target: "192.168.1.5:3000", port: 3000},
		{in: Service{Name: "z2m", Target: "NAS.Home.Arpa:8080", Port: 81}, target: "nas.home.arpa:8080", port: 81},
		{in: Service{Name: "a", Target: "localhost:1", Protocol: UDP}, target: "localhost:1", port: 1},
		{in: Service{Name: "0-9", Target: "[FD00::5]:3000"}, target: "[fd00::5]:3000", port: 3000},
		{in: Service{Name: "ll", Target: "[fe80::1%eth0]:80", Port: 8080}, target: "[fe80::1%eth0]:80", port: 8080},
		{in: Service{Name: "mapped", Target: "[::ffff:192.168.1.5]:80", Port: 8080}, target: "192.168.1.5:80", port: 8080},
		{in: Service{Name: "nas", Target: "my_nas.:08080"}, target: "my_nas.:8080", port: 8080},
		{in: Service{Name: strings.Repeat("a", 32), Target: "h:1"}, target: "h:1", port: 1},

		{in: Service{Name: "", Target: "h:1"}, complaints: "name"},
		{in: Service{Name: "Grafana", Target: "h:1"}, complaints: "lower-case"},
		{in: Service{Name: "-a", Target: "h:1"}, complaints: "name"},
		{in: Service{Name: "a b", Target: "h:1"}, complaints: "name"},
		{in: Service{Name: "a\n", Target: "h:1"}, complaints: "name"},
		{in: Service{Name: strings.Repeat("a", 33), Target: "h:1"}, complaints: "32"},
		{in: Service{Name: "a", Target: ""}, complaints: "HOST:PORT"},
		{in: Service{Name: "a", Target: "h"}, complaints: "HOST:PORT"},
		{in: Service{Name: "a", Target: "h:"}, complaints: "1 to 65535"},
		{in: Service{Name: "a", Target: "h:0"}, complaints: "1 to 65535"},
		{in: Service{Name: "a", Target: "h:65536"}, complaints: "1 to 65535"},
		{in: Service{Name: "a", Target: "h:http"}, complaints: "1 to 65535"},
		{in: Service{Name: "a", Target: "h:+1"}, complaints: "1 to 65535"},
		{in: Service{Name: "a", Target: ":80"}, complaints: "host name"},
		{in: Service{Name: "a", Target: "http://h:80"}, complaints: "HOST:PORT"},
		{in: Service{Name: "a", Target: "a b:80"}, complaints: "host name"},
		{in: Service{Name: "a", Target: "a..b:80"}, complaints: "host name"},
		{in: Service{Name: "a", Target: "-a:80"}, complaints: "host name"},
		{in: Service{Name: "a", Target: strings.Repeat("a", 64) + ":80"}, complaints: "host name"},
		{in: Service{Name: "a", Target: "127.1:80"}, complaints: "host name"},
		{in: Service{Name: "a", Target: "2130706433:80"}, complaints: "host name"},
		{in: Service{Name: "a", Target: "0x7f000001:80"}, complaints: "host name"},
		{in: Service{Name: "a", Target: "fd00::5:80"}, complaints: "HOST:PORT"},
		{in: Service{Name: "a", Target: "[fd00::5%e th]:80"}, complaints: "interface"},
		{in: Service{Name: "a", Target: "0.0.0.0:80"}, complaints: "one host"},
		{in: Service{Name: "a", Target: "[::]:80"}, complaints: "one host"},
		{in: Service{Name: "a", Target: "224.0.0.251:5353"}, complaints: "one host"},
		{in: Service{Name: "a", Target: "255.255.255.255:9"}, complaints: "one host"},
		{in: Service{Name: "a", Target: "h:1", Protocol: "sctp"}, complaints: "tcp nor udp"},
	} {
		got, err := tc.in.checked()
		if tc.target == "" {
			if err == nil || !errors.Is(err, ErrInvalidService) || !strings.Contains(err.Error(), tc.complaints) {
				t.Errorf("%q for %q: %v, want a complaint about %q", tc.in.Name, tc.in.Target, err, tc.complaints)
			}
			continue
		}
		if err != nil || got.Target != tc.target || got.Port != tc.port || got.Protocol == "" {
			t.Errorf("%q for %q: %+v, %v; want %s on %d", tc.in.Name, tc.in.Target, got, err, tc.target, tc.port)
		}
	}
}

// FuzzService: whatever is accepted is accepted again as the same, and is one word for one place.
func FuzzService(f *testing.F) {
	f.Add("grafana", "192.168.1.5:3000", uint16(0), "tcp")
	f.Add("z2m", "[fe80::1%eth0]:8080", uint16(81), "udp")
	f.Add("a", "nas.local.:80", uint16(1), "")
	f.Fuzz(func(t *testing.T, name, target string, port uint16, protocol string) {
		s, err := Service{Name: name, Target: target, Port: port, Protocol: Protocol(protocol)}.checked()
		if err != nil {
			return
		}
		again, err := s.checked()
		if err != nil || again != s {
			t.Fatalf("%+v became %+v, %v", s, again, err)
		}
		host, portText, err := net.SplitHostPort(s.Target)
		if err != nil || host == "" || strings.ContainsAny(s.Name+s.Target, " \t\r\n\x00\"'#=") {
			t.Fatalf("kept %q for %q", s.Target, s.Name)
		}
		if p, err := strconv.ParseUint(portText, 10, 16); err != nil || p == 0 || s.Port == 0 {
			t.Fatalf("kept port %q and %d", portText, s.Port)
		}
	})
}

func newServices(t *testing.T) (*Services, *journal.Journal, *store.Store) {
	t.Helper()
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	j := journal.New(st, time.Now, quiet())
	return NewServices(st, j), j, st
}

func TestServicesAddAndRemove(t *testing.T) {
	services, j, st := newServices(t)
	changed, stop := services.Watch()
	defer stop()
	for _, s := range []Service{{Name: "z2m", Target: "127.0.0.1:8080"}, {Name: "grafana", Target: "nas:3000", Port: 3001}} {
		if _, err := services.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	want := []Service{
		{Name: HomeAssistant, Port: 8123, Protocol: TCP, Builtin: true},
		{Name: Admin, Port: 80, Protocol: TCP, Builtin: true},
		{Name: "grafana", Target: "nas:3000", Port: 3001, Protocol: TCP},
		{Name: "z2m", Target: "127.0.0.1:8080", Port: 8080, Protocol: TCP},
	}
	check := func() {
		t.Helper()
		got, err := services.List()
		if err != nil || len(got) != len(want) {
			t.Fatalf("listed %+v, %v; want %+v", got, err, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("listed %+v, want %+v", got[i], want[i])
			}
		}
	}
	check()
	select {
	case <-changed:
	default:
		t.Error("a watcher was not told")
	}
	if s, err := services.Get("grafana"); err != nil || s != want[2] {
		t.Errorf("got %+v, %v", s, err)
	}

	refused := errors.New("peers are busy")
	if err := services.Remove("z2m", func(*store.Tx) error { return refused }); !errors.Is(err, refused) {
		t.Errorf("removing gave %v, want what went wrong with what goes with it", err)
	}
	check()

	var also bool
	if err := services.Remove("z2m", func(tx *store.Tx) error { also = true; return nil }); err != nil || !also {
		t.Errorf("removing: %v, what goes with it was done: %t", err, also)
	}
	want = want[:3]
	check()
	services = NewServices(st, j)
	check()

	events, err := j.Recent(10)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, string(e.Type)+" "+e.Data["service"])
	}
	if got := strings.Join(kinds, ", "); got != "service.added z2m, service.added grafana, service.removed z2m" {
		t.Errorf("the journal says %s", got)
	}
}

func TestServicesRefuse(t *testing.T) {
	services, j, _ := newServices(t)
	if _, err := services.Add(Service{Name: "z2m", Target: "127.0.0.1:8080"}); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		s    Service
		want error
	}{
		"no name":                {Service{Target: "h:1"}, ErrInvalidService},
		"a name that is taken":   {Service{Name: "z2m", Target: "h:1"}, ErrServiceTaken},
		"a port that is taken":   {Service{Name: "b", Target: "h:8080"}, ErrServiceTaken},
		"the built-in's name":    {Service{Name: HomeAssistant, Target: "h:1"}, ErrServiceTaken},
		"the built-in's port":    {Service{Name: "b", Target: "h:8123"}, ErrServiceTaken},
		"the page's name":        {Service{Name: Admin, Target: "h:1"}, ErrServiceTaken},
		"the portal's port":      {Service{Name: "b", Target: "h:80"}, ErrServiceTaken},
		"a target without sense": {Service{Name: "b", Target: "h"}, ErrInvalidService},
	} {
		if _, err := services.Add(tc.s); !errors.Is(err, tc.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %v in one line", name, err, tc.want)
		}
	}
	for name, want := range map[string]error{HomeAssistant: ErrBuiltin, Admin: ErrBuiltin, "nothing": ErrNoService, "": ErrNoService} {
		if err := services.Remove(name); !errors.Is(err, want) {
			t.Errorf("removing %q: %v, want %v", name, err, want)
		}
	}
	if _, err := services.Get("nothing"); !errors.Is(err, ErrNoService) {
		t.Errorf("getting a service that is not there: %v", err)
	}
	// The same port is free for the other protocol.
	for _, s := range []Service{{Name: "b", Target: "h:8080", Protocol: UDP}, {Name: "c", Target: "h:80", Protocol: UDP}} {
		if _, err := services.Add(s); err != nil {
			t.Error(err)
		}
	}
	if events, _ := j.Recent(10); len(events) != 3 {
		t.Errorf("%d events, want one for each service that was added", len(events))
	}
}

// TestReclaim: a service that was called admin before Hearthgate had one gives way, with all that was given to peers.
func TestReclaim(t *testing.T) {
	services, j, st := newServices(t)
	nothing := func(string) func(*store.Tx) error {
		return func(*store.Tx) error { t.Error("something was forgotten"); return nil }
	}
	if err := services.Reclaim(nothing); err != nil {
		t.Fatal(err)
	}
	old := record{Target: "nas:5000", Port: 5000, Protocol: TCP}
	if err := st.Update(func(tx *store.Tx) error { return store.Put(tx, bucket, Admin, old) }); err != nil {
		t.Fatal(err)
	}
	if s, err := services.Get(Admin); err != nil || s != adminService() {
		t.Errorf("admin is %+v, %v", s, err)
	}
	if err := services.Remove(Admin); !errors.Is(err, ErrBuiltin) {
		t.Errorf("removing it: %v", err)
	}
	var forgotten []string
	forget := func(name string) func(*store.Tx) error {
		return func(*store.Tx) error { forgotten = append(forgotten, name); return nil }
	}
	for range 2 {
		if err := services.Reclaim(forget); err != nil {
			t.Fatal(err)
		}
	}
	if len(forgotten) != 1 || forgotten[0] != Admin {
		t.Errorf("forgotten is %q", forgotten)
	}
	events, err := j.Recent(10)
	if err != nil || len(events) != 1 || events[0].Type != journal.ServiceRemoved || events[0].Data["target"] != "nas:5000" {
		t.Errorf("the journal says %+v, %v", events, err)
	}
	if s, err := services.Add(Service{Name: "nas", Target: "nas:5000"}); err != nil || s.Port != 5000 {
		t.Errorf("its port: %+v, %v", s, err)
	}
}
