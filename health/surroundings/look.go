package surroundings

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
)

const (
	dialTime = 3 * time.Second
	lookTime = 10 * time.Second // for one address, all of whose answers come over the LAN
	atOnce   = 4
)

// Home looks at Home Assistant at home: at its place on the LAN, and at each of its IPv6 addresses, of which it answers at those
// that show the same Home Assistant.
func (s *Surroundings) Home(ctx context.Context, f health.Facts) health.HomeLook {
	if !f.Home.Address.IsValid() || f.Home.Port == 0 {
		return health.HomeLook{}
	}
	addrs := append([]netip.Addr{f.Home.Address}, f.Home.Global6...)
	shown, refused := make([]homeassistant.Fingerprint, len(addrs)), make([]bool, len(addrs))
	behind := make([]bool, len(addrs)) // somebody stands there at another door
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, addr := range addrs {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			shown[i], refused[i] = s.lookAt(ctx, netip.AddrPortFrom(addr, f.Home.Port))
			if i > 0 && refused[i] {
				behind[i], refused[i] = s.besides(ctx, addr, f)
			}
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return health.HomeLook{}
	}
	look := health.HomeLook{}
	if shown[0].IsHome() {
		look.Fingerprint = shown[0]
		s.mu.Lock()
		s.shown = shown[0]
		s.mu.Unlock()
	}
	for i, addr := range addrs {
		look.Answers = append(look.Answers, health.Reached{
			Address: addr, Answers: shown[i].Matches(shown[0]) || behind[i] && shown[0].IsHome(), Refused: refused[i],
		})
	}
	return look
}

func (s *Surroundings) lookAt(ctx context.Context, at netip.AddrPort) (_ homeassistant.Fingerprint, refused bool) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	shown, err := homeassistant.TakeFingerprint(ctx, s.cfg.Dial, at.String(), "")
	return shown, errors.Is(err, syscall.ECONNREFUSED)
}

// besides looks, at an address that refuses Home Assistant's own port, for a proxy that may stand before it: the add-ons' proxies
// listen on IPv6 while Home Assistant itself is bound to IPv4. open: somebody is there; refused: nobody is, at any door.
func (s *Surroundings) besides(ctx context.Context, addr netip.Addr, f health.Facts) (open, refused bool) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	refused = true
	for _, w := range f.Ports() {
		if w.Role != health.RoleDoor && w.Role != health.RoleHome || w.Port == f.Home.Port {
			continue
		}
		conn, err := s.cfg.Dial(ctx, "tcp", netip.AddrPortFrom(addr, w.Port).String())
		if err == nil {
			_ = conn.Close()
			return true, false
		}
		refused = refused && errors.Is(err, syscall.ECONNREFUSED)
	}
	return false, refused
}

// resolve finds the address of a place that was given by name. Of several, it takes the same one each time, and IPv4 before IPv6:
// servers of names give them in any order, and a place that seems to move makes all that was seen worthless.
func resolve(ctx context.Context, place string) (netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(place)
	if err != nil {
		return netip.AddrPort{}, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(slices.MinFunc(addrs, before).Unmap(), uint16(number)), nil
}

func before(a, b netip.Addr) int {
	return a.Unmap().Compare(b.Unmap()) // which puts IPv4 first
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
