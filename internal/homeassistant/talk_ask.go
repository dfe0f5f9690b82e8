package homeassistant

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"time"
)

// A Notification is one of Home Assistant's own, as the household sees them in its side bar. Its text may hold what a stranger
// wrote.
type Notification struct {
	ID      string
	Title   string
	Message string
	Created time.Time // when it was last written; zero: unknown
}

// Notifications are those that stand at the moment.
func (t *Talker) Notifications(ctx context.Context) (all []Notification, err error) {
	err = t.talk(ctx, func(ctx context.Context, s *socket) error {
		var result json.RawMessage
		if err := s.ask(ctx, "persistent_notification/get", &result); err != nil {
			return err
		}
		all, err = notifications(result)
		return err
	})
	return all, err
}

type wireNotification struct {
	ID      string `json:"notification_id"`
	Title   string `json:"title"`
	Message string `json:"message"`
	Created string `json:"created_at"`
}

// notifications reads a list, which is what Home Assistant sends; it sends an object by id to those who subscribe.
func notifications(result []byte) ([]Notification, error) {
	var list []wireNotification
	if err := json.Unmarshal(result, &list); err != nil {
		var byID map[string]wireNotification
		if json.Unmarshal(result, &byID) != nil {
			return nil, errors.New("reading Home Assistant's notifications: they are neither a list nor an object")
		}
		for _, n := range byID {
			list = append(list, n)
		}
		slices.SortFunc(list, func(a, b wireNotification) int { return cmp.Compare(a.ID, b.ID) })
	}
	all := make([]Notification, 0, len(list))
	for _, n := range list {
		created, err := time.Parse(time.RFC3339, n.Created)
		if err != nil {
			created = time.Time{}
		}
		all = append(all, Notification{n.ID, n.Title, n.Message, created})
	}
	return all, nil
}

// Places are where Home Assistant says that it can be reached.
type Places struct {
	Addresses []netip.Addr // of its network adapters, as it serves on all; empty where its token is not an administrator's
	Adapters  bool         // whether it told its adapters
	Internal  string       // URLs; empty for none
	External  string
	Cloud     string // by Nabu Casa
	Version   string
}

// Places asks where Home Assistant can be reached. A token that is not an administrator's gets less.
func (t *Talker) Places(ctx context.Context) (p Places, err error) {
	err = t.talk(ctx, func(ctx context.Context, s *socket) error {
		var config struct {
			Version  string `json:"version"`
			Internal string `json:"internal_url"`
			External string `json:"external_url"`
		}
		if err := s.ask(ctx, "get_config", &config); err != nil {
			return err
		}
		p.Internal, p.External = config.Internal, config.External
		if isVersion(config.Version) {
			p.Version = config.Version
		}
		if err := p.urls(ctx, s); err != nil {
			return err
		}
		return p.adapters(ctx, s)
	})
	return p, err
}

// urls are what the network integration makes of the settings, the cloud included. Home Assistant before 2022 has none.
func (p *Places) urls(ctx context.Context, s *socket) error {
	var urls struct {
		Internal string `json:"internal"`
		External string `json:"external"`
		Cloud    string `json:"cloud"`
	}
	if err := unlessRefused(s.ask(ctx, "network/url", &urls)); err != nil {
		return err
	}
	if urls.Internal != "" {
		p.Internal = urls.Internal
	}
	if urls.External != "" {
		p.External = urls.External
	}
	p.Cloud = urls.Cloud
	return nil
}

func (p *Places) adapters(ctx context.Context, s *socket) error {
	type address struct {
		Address string `json:"address"`
	}
	var network struct {
		Adapters []struct {
			IPv4 []address `json:"ipv4"`
			IPv6 []address `json:"ipv6"`
		} `json:"adapters"`
	}
	err := s.ask(ctx, "network", &network)
	if p.Adapters = err == nil; !p.Adapters {
		return unlessRefused(err)
	}
	for _, a := range network.Adapters {
		for _, one := range slices.Concat(a.IPv4, a.IPv6) {
			if addr, err := netip.ParseAddr(one.Address); err == nil && len(p.Addresses) < mostAddresses {
				p.Addresses = append(p.Addresses, addr.Unmap().WithZone(""))
			}
		}
	}
	return nil
}

// mostAddresses bounds the list; a machine with a dozen containers has some thirty.
const mostAddresses = 64

// unlessRefused drops the error that Home Assistant has a code for: it does not know the command, or not for this token.
func unlessRefused(err error) error {
	if _, ok := errors.AsType[refusal](err); ok {
		return nil
	}
	return err
}
