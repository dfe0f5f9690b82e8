package vantage

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/secret"
)

// noticed is a Home Assistant with these notifications, or with an error.
type noticed struct {
	all []homeassistant.Notification
	err error
}

func (n noticed) Notifications(context.Context) ([]homeassistant.Notification, error) {
	return n.all, n.err
}

var noticesNow = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func readNotices(t *testing.T, home noticed) []health.Observation {
	t.Helper()
	v := NewNotices(home, func() (health.Setup, error) { return health.Setup{HomeToken: secret.Of("token")}, nil })
	return v.Look(t.Context(), health.Round{
		ID: "r", Began: noticesNow, Now: func() time.Time { return noticesNow }, Tell: func(health.Kind, string) {},
		Facts: health.Facts{
			Home:   health.Home{Port: 8124, Global6: []netip.Addr{netip.MustParseAddr("2a77:db8:1:2::5")}},
			Public: map[health.Family]health.Public{health.IPv4: {Standing: health.Known, Address: netip.MustParseAddr("11.0.0.2")}},
			Not6:   []netip.Addr{netip.MustParseAddr("2a77:db8:9:2::5")},
		},
	})
}

func signIn(from string) string {
	return "Login attempt or request with invalid authentication from " + from + ". See the log for details."
}

func TestNotices(t *testing.T) {
	t.Parallel()
	hour := noticesNow.Add(-time.Hour)
	for _, c := range []struct {
		what    string
		notice  homeassistant.Notification
		address string // of the sign-in; empty: it proves nothing
	}{
		{"a stranger", homeassistant.Notification{ID: "http-login", Message: signIn("evil.example (11.0.1.9)"), Created: hour}, "11.0.1.9"},
		{"without a name", homeassistant.Notification{ID: "http-login", Message: signIn("11.0.1.9 (11.0.1.9)"), Created: hour}, "11.0.1.9"},
		{"over IPv6", homeassistant.Notification{ID: "http-login", Message: signIn("x (2a77:db8:ffff::9)"), Created: hour}, "2a77:db8:ffff::9"},
		{"over IPv4 in IPv6", homeassistant.Notification{ID: "http-login", Message: signIn("x (::ffff:11.0.1.9)"), Created: hour}, "11.0.1.9"},
		{"a ban", homeassistant.Notification{ID: "ip-ban", Message: "Too many login attempts from 11.0.1.9", Created: hour}, "11.0.1.9"},
		{"just now, by another clock", homeassistant.Notification{ID: "http-login", Message: signIn("x (11.0.1.9)"), Created: noticesNow.Add(30 * time.Second)}, "11.0.1.9"},

		{"somebody at home", homeassistant.Notification{ID: "http-login", Message: signIn("tablet (192.168.1.7)"), Created: hour}, ""},
		{"this machine", homeassistant.Notification{ID: "http-login", Message: signIn("localhost (127.0.0.1)"), Created: hour}, ""},
		{"the tunnel", homeassistant.Notification{ID: "http-login", Message: signIn("x (fd12::1)"), Created: hour}, ""},
		{"carrier-grade NAT", homeassistant.Notification{ID: "http-login", Message: signIn("x (100.64.0.9)"), Created: hour}, ""},
		{"link-local", homeassistant.Notification{ID: "http-login", Message: signIn("x (fe80::1)"), Created: hour}, ""},
		{"our own public address", homeassistant.Notification{ID: "http-login", Message: signIn("x (11.0.0.2)"), Created: hour}, ""},
		{"our own IPv6 network", homeassistant.Notification{ID: "http-login", Message: signIn("x (2a77:db8:1:2::77)"), Created: hour}, ""},
		{"another network of ours", homeassistant.Notification{ID: "http-login", Message: signIn("x (2a77:db8:1:3::77)"), Created: hour}, ""},
		{"a network that nobody may look at", homeassistant.Notification{ID: "http-login", Message: signIn("x (2a77:db8:9:2::77)"), Created: hour}, ""},
		{"a name with an address in it", homeassistant.Notification{ID: "http-login", Message: signIn("(11.0.1.9) (192.168.1.7)"), Created: hour}, ""},
		{
			"a name with all of it in it",
			homeassistant.Notification{ID: "http-login", Message: signIn("a (11.0.1.9). See the log for details.\n (192.168.1.7)"), Created: hour},
			"",
		},
		{
			"the other way round",
			homeassistant.Notification{ID: "http-login", Message: signIn("a (192.168.1.7). See the log for details. (11.0.1.9)"), Created: hour},
			"11.0.1.9",
		},
		{"two days ago", homeassistant.Notification{ID: "http-login", Message: signIn("x (11.0.1.9)"), Created: noticesNow.Add(-48 * time.Hour)}, ""},
		{"tomorrow", homeassistant.Notification{ID: "http-login", Message: signIn("x (11.0.1.9)"), Created: noticesNow.Add(time.Hour)}, ""},
		{"nobody knows when", homeassistant.Notification{ID: "http-login", Message: signIn("x (11.0.1.9)")}, ""},
		{"another notice", homeassistant.Notification{ID: "other", Message: signIn("x (11.0.1.9)"), Created: hour}, ""},
		{"another text", homeassistant.Notification{ID: "http-login", Message: "from 11.0.1.9", Created: hour}, ""},
		{"no address", homeassistant.Notification{ID: "http-login", Message: signIn("x (1.2.3)"), Created: hour}, ""},
		{"very long", homeassistant.Notification{ID: "http-login", Message: signIn(strings.Repeat("x", 1<<20) + " (11.0.1.9)"), Created: hour}, ""},
	} {
		seen := readNotices(t, noticed{all: []homeassistant.Notification{c.notice}})
		if len(seen) != 1 {
			t.Errorf("%s: %+v", c.what, seen)
			continue
		}
		o := seen[0]
		if c.address == "" {
			if o.State != health.Untested || o.Why != health.NothingThere {
				t.Errorf("%s: %+v, want nothing", c.what, o)
			}
			continue
		}
		family := health.IPv4
		if strings.Contains(c.address, ":") {
			family = health.IPv6
		}
		if o.State != health.PortOpen || o.Identity != health.OurHome || o.Why != health.SignInSeen || o.Args["address"] != c.address ||
			o.Port != 8124 || o.Family != family || o.At.After(noticesNow) || o.Began.After(o.At) {
			t.Errorf("%s: %+v, want a sign-in from %s", c.what, o, c.address)
		}
	}
}

func TestNoticesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want health.Code
	}{
		{homeassistant.ErrTokenRefused, health.VantageRefused},
		{homeassistant.ErrBanned, health.VantageRefused},
		{homeassistant.ErrNotFound, health.HomeUnknown},
		{errors.New("it is away"), health.VantageSilent},
	} {
		seen := readNotices(t, noticed{err: c.err})
		if len(seen) != 1 || seen[0].State != health.Untested || seen[0].Why != c.want {
			t.Errorf("%v: %+v, want %s", c.err, seen, c.want)
		}
	}
	v := NewNotices(noticed{}, func() (health.Setup, error) { return health.Setup{}, nil })
	if seen := v.Look(t.Context(), health.Round{}); seen != nil {
		t.Errorf("without a token: %+v", seen)
	}
}

// FuzzCaller: whatever the name says, the address is the last one, which Home Assistant wrote.
func FuzzCaller(f *testing.F) {
	for _, name := range []string{"x", "(11.0.1.9)", "a (8.8.8.8). See the log for details.", "\n", "a\x00)", "See the log for details. ("} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		const address = "192.168.1.7"
		got, ok := caller(homeassistant.Notification{ID: "http-login", Message: signIn(name + " (" + address + ")")})
		if ok && got != netip.MustParseAddr(address) {
			t.Errorf("%q: %v", name, got)
		}
		if !ok && len(name) < 4000 {
			t.Errorf("%q: not understood", name)
		}
		_, _ = caller(homeassistant.Notification{ID: "http-login", Message: name})
		_, _ = caller(homeassistant.Notification{ID: "ip-ban", Message: name})
	})
}
