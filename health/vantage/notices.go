package vantage

import (
	"context"
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// Notices reads what Home Assistant itself noticed: its notifications of failed sign-ins and of bans. What it proves, and what
// it does not:
//
// A failed sign-in from a public address proves that somebody reached Home Assistant from the internet, then. It says nothing of
// the way: a reverse proxy or Nabu Casa may have passed the address on, and these are other doors; but a door it was. No notice
// proves nothing: Home Assistant notes failures only, keeps the last one only, and forgets it when it restarts or when
// somebody reads it.
//
// The notice names the caller twice: by the name that the owner of the address gave it, which may say anything, and by the
// address, which comes last and is Home Assistant's own word.
type Notices struct {
	home  NoticeReader
	setUp func() (health.Setup, error)
}

// NoticeReader reads Home Assistant's notifications. homeassistant.Talker does.
type NoticeReader interface {
	Notifications(ctx context.Context) ([]homeassistant.Notification, error)
}

// NewNotices makes the vantage. It reads nothing while no token is set.
func NewNotices(home NoticeReader, setUp func() (health.Setup, error)) *Notices {
	return &Notices{home, setUp}
}

var _ health.Vantage = (*Notices)(nil)

const (
	noticesName  = "Home Assistant"
	noticesEvery = 5 * time.Minute
	noticeLives  = 24 * time.Hour
)

// Kind is Notices.
func (n *Notices) Kind() health.Kind { return health.Notices }

// Every is five minutes.
func (n *Notices) Every() time.Duration { return noticesEvery }

// Look reads the notifications.
func (n *Notices) Look(ctx context.Context, r health.Round) []health.Observation {
	if setup, err := n.setUp(); err != nil || setup.HomeToken.IsZero() {
		return nil
	}
	r.Tell(health.Notices, "Reading Home Assistant's notices of failed sign-ins")
	all, err := n.home.Notifications(ctx)
	if err != nil {
		return []health.Observation{n.nothing(r, reasonOf(err))}
	}
	var seen []health.Observation
	for _, notice := range all {
		if o, ok := n.sighting(r, notice); ok {
			seen = append(seen, o)
		}
	}
	if len(seen) == 0 {
		return []health.Observation{n.nothing(r, health.NothingThere)}
	}
	return seen
}

// nothing is an observation of no port and no family.
func (n *Notices) nothing(r health.Round, why health.Code) health.Observation {
	o := r.Observe(health.Notices, string(health.Notices), noticesName, health.IPv4, netip.Addr{}, 0)
	o.Why, o.Args = why, health.Args{"from": noticesName}
	if why == health.VantageRefused {
		o.Args["why"] = "it does not take the token, or has banned this machine"
	}
	return o
}

func reasonOf(err error) health.Code {
	switch {
	case errors.Is(err, homeassistant.ErrTokenRefused), errors.Is(err, homeassistant.ErrBanned):
		return health.VantageRefused
	case errors.Is(err, homeassistant.ErrNotFound):
		return health.HomeUnknown
	default:
		return health.VantageSilent
	}
}

// sighting is what a notice proves, if it proves anything.
func (n *Notices) sighting(r health.Round, notice homeassistant.Notification) (health.Observation, bool) {
	from, ok := caller(notice)
	now := r.Now()
	age := now.Sub(notice.Created)
	if !ok || notice.Created.IsZero() || age > noticeLives || age < -time.Minute || !fromOutside(from, r.Facts) {
		return health.Observation{}, false
	}
	family, port := health.IPv4, r.Facts.Home.Port
	if from.Is6() {
		family = health.IPv6
	}
	if port == 0 {
		port = health.HomePort
	}
	o := r.Observe(health.Notices, string(health.Notices), noticesName, family, netip.Addr{}, port)
	o.State, o.Identity, o.Why = health.PortOpen, health.OurHome, health.SignInSeen
	o.Args = health.Args{"address": from.String()}
	o.At = notice.Created.UTC()
	if o.At.After(now) {
		o.At = now
	}
	o.Began = o.At
	return o, true
}

// The texts of components/http/ban.py. What stands before the last address may have been chosen by the caller, so the patterns
// are tied to the end.
var (
	failedSignIn = regexp.MustCompile(`\(([0-9a-fA-F:.]{2,45})\)\. See the log for details\.?\s*$`)
	bannedCaller = regexp.MustCompile(`^Too many login attempts from ([0-9a-fA-F:.]{2,45})\s*$`)
)

// caller is the address that a notice speaks of.
func caller(notice homeassistant.Notification) (netip.Addr, bool) {
	var pattern *regexp.Regexp
	switch notice.ID {
	case "http-login":
		pattern = failedSignIn
	case "ip-ban":
		pattern = bannedCaller
	default:
		return netip.Addr{}, false
	}
	if len(notice.Message) > 8<<10 {
		return netip.Addr{}, false
	}
	found := pattern.FindStringSubmatch(notice.Message)
	if found == nil {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(found[1])
	return addr.Unmap(), err == nil
}

// fromOutside tells whether an address is somebody's on the internet, and not this home's own. At home, too, devices have
// public IPv6 addresses, so one counts only where it is known which are ours; another network of the same home is told by what
// providers give to a household.
func fromOutside(a netip.Addr, f health.Facts) bool {
	if !publicaddr.IsPublic(a) {
		return false
	}
	if a.Is4() {
		return f.Public[health.IPv4].Address.Unmap() != a
	}
	ours := append(ourSix(f), f.Not6...)
	return len(ours) > 0 && !slices.ContainsFunc(ours, func(own netip.Addr) bool { return near(own, a, homePrefix) })
}
