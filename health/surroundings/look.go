package surroundings

import (
	"context"
	"errors"
	"net"
	"net/netip"
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
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for i, addr := range addrs {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			shown[i], refused[i] = s.lookAt(ctx, netip.AddrPortFrom(addr, f.Home.Port))
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
			Address: addr, Answers: shown[i].Matches(shown[0]), Refused: refused[i],
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

// resolve finds the address of a place that was given by name. Of several, it takes the first.
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
	return netip.AddrPortFrom(addrs[0].Unmap(), uint16(number)), nil
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
