package vantage

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/publicaddr"
)

// InternetDB reads what Shodan's scanner found at the home's address in the last weeks. What it proves, and what it tells:
//
// It proves nothing, in neither direction, so that all it ever makes is a suspicion. The database is a week old at best and names no
// times, and the address may have been somebody else's when it was scanned. That it knows of nothing is no evidence at all.
//
// Shodan learns the home's address and that somebody cares. The service is free for other than commercial use.
type InternetDB struct {
	service service
	public  Public
	pace    pace
}

// NewInternetDB makes the vantage.
func NewInternetDB(p Public) *InternetDB {
	return &InternetDB{
		service: p.service("Shodan", "https://internetdb.shodan.io", newClient(nil)), public: p,
		pace: pace{most: 4, per: time.Hour}, // a week is enough; these are for people who press the button
	}
}

// Kind is InternetDB.
func (d *InternetDB) Kind() health.Kind { return health.InternetDB }

// Every is a week, as the database itself.
func (d *InternetDB) Every() time.Duration { return week }

// Look reads the entry of the public address, and of the first of Home Assistant's IPv6 addresses.
func (d *InternetDB) Look(ctx context.Context, r health.Round) (seen []health.Observation) {
	if !d.public.on(func(s health.Setup) bool { return s.InternetDB }) {
		return nil
	}
	for _, family := range health.Families {
		target, why, ok := reachedAt(r.Facts, family)
		switch {
		case !ok:
		case why != "":
			seen = append(seen, d.untested(r, family, target, 0, why, whyArgs(r.Facts, family, why)))
		default:
			seen = append(seen, d.one(ctx, r, family, target)...)
		}
	}
	return seen
}

// reachedAt is the address at which Home Assistant would be reached from outside; the first, where it has several. why says that it is
// not known; ok is false where there is no such family.
func reachedAt(f health.Facts, family health.Family) (at netip.Addr, why health.Code, ok bool) {
	if family == health.IPv6 {
		switch {
		case f.Home.IPv6 == health.Absent:
			return at, "", false
		case len(f.Home.Global6) == 0:
			return at, health.NoHomeAddress, true
		}
		at = f.Home.Global6[0]
	} else {
		switch f.Public[family].Standing {
		case health.Absent:
			return at, "", false
		case health.Ambiguous:
			return at, health.PublicAmbiguous, true
		case health.Known:
			at = f.Public[family].Address
		default:
			return at, health.PublicUnknown, true
		}
	}
	if !publicaddr.IsPublic(at) {
		return at, health.Shared, true // the address of a carrier's inner network, which nobody outside can name
	}
	return at, "", true
}

// whyArgs are the arguments of why there is no address.
func whyArgs(f health.Facts, family health.Family, why health.Code) health.Args {
	if why != health.PublicAmbiguous {
		return nil
	}
	return health.Args{"said": strings.Join(f.Public[family].Said, "; ")}
}

func (d *InternetDB) one(ctx context.Context, r health.Round, family health.Family, target netip.Addr) (seen []health.Observation) {
	if at, ok := d.pace.take(r.Now()); !ok {
		args := health.Args{"from": d.service.name, "at": at.UTC().Format(time.RFC3339)}
		return []health.Observation{d.untested(r, family, target, 0, health.VantageBusy, args)}
	}
	r.Tell(health.InternetDB, "reads what Shodan knows of this address")
	open, err := d.open(ctx, r, target)
	if err != nil {
		why, args := d.service.why(err)
		return []health.Observation{d.untested(r, family, target, 0, why, args)}
	}
	for _, w := range r.Ports {
		if slices.Contains(open, w.Port) {
			args := health.Args{"from": d.service.name, "port": strconv.Itoa(int(w.Port))}
			seen = append(seen, d.untested(r, family, target, w.Port, health.Suspected, args))
		}
	}
	if len(seen) == 0 {
		args := health.Args{"from": d.service.name}
		seen = append(seen, d.untested(r, family, target, 0, health.NothingThere, args))
	}
	return seen
}

// open are the ports that the scanner found open.
func (d *InternetDB) open(ctx context.Context, r health.Round, target netip.Addr) ([]uint16, error) {
	h, err := d.service.ask(ctx, http.MethodGet, "/"+target.String(), nil, nil)
	switch {
	case err != nil:
		return nil, err
	case h.status == http.StatusNotFound: // {"detail":"No information available"}
		return nil, nil
	case h.status == http.StatusTooManyRequests:
		d.pace.leave(r.Now().Add(h.again()))
		return nil, d.service.refused(h, r.Now())
	case h.status != http.StatusOK:
		return nil, d.service.refused(h, r.Now())
	}
	var entry struct {
		IP    netip.Addr `json:"ip"`
		Ports []uint16   `json:"ports"`
	}
	if json.Unmarshal(h.body, &entry) != nil || entry.IP.Unmap() != target {
		return nil, d.service.trouble(health.VantageBroken)
	}
	return entry.Ports, nil
}

func (d *InternetDB) untested(r health.Round, family health.Family, target netip.Addr, port uint16, why health.Code, args health.Args) health.Observation {
	o := r.Observe(health.InternetDB, string(health.InternetDB), d.service.name, family, target, port)
	o.Why, o.Args = why, args
	return o
}
