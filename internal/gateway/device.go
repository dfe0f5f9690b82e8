package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	maxBody     = 256 << 10 // of a description, or an answer
	callTime    = 3 * time.Second
	maxServices = 16 // of one device
)

// device is a UPnP device at the gateway, as far as it concerns us.
type device struct {
	udn      string
	bootID   string
	services []service
}

// service is one of a device's.
type service struct {
	kind    string // its UPnP type
	control *url.URL
}

// connections are the services that keep a table of mappings. The later ones are AVM's, from before the UPnP Forum's.
var connections = []string{
	"urn:schemas-upnp-org:service:WANIPConnection:2",
	"urn:schemas-upnp-org:service:WANIPConnection:1",
	"urn:schemas-upnp-org:service:WANPPPConnection:1",
	"urn:dslforum-org:service:WANIPConnection:1",
	"urn:dslforum-org:service:WANPPPConnection:1",
}

const firewallControl = "urn:schemas-upnp-org:service:WANIPv6FirewallControl:1"

func (s service) connection() bool { return slices.Contains(connections, s.kind) }

// find looks for the devices if none is known, and notes in p what they are. It tells whether there are any.
func (g *Gateway) find(ctx context.Context, p *Picture) bool {
	if len(g.devices) == 0 {
		beacons, err := g.discover(ctx)
		if err != nil {
			return false
		}
		for _, b := range beacons {
			d, err := g.describe(ctx, b)
			if err == nil && len(d.services) > 0 {
				g.devices = append(g.devices, d)
			}
		}
		// The first one names the router, whichever answered first.
		slices.SortStableFunc(g.devices, func(a, b device) int { return strings.Compare(a.udn, b.udn) })
	}
	p.UDN, p.BootID = "", ""
	for _, d := range g.devices {
		if p.UDN == "" {
			p.UDN, p.BootID = d.udn, d.bootID
		}
	}
	return len(g.devices) > 0
}

// describe fetches a device's description.
func (g *Gateway) describe(ctx context.Context, b beacon) (device, error) {
	ctx, cancel := context.WithTimeout(ctx, g.tuning.call)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.location.String(), nil)
	if err != nil {
		return device{}, fmt.Errorf("asking for the router's description: %w", err)
	}
	status, body, err := g.exchange(req)
	if err != nil {
		return device{}, fmt.Errorf("asking for the router's description: %w", err)
	}
	if status != http.StatusOK {
		return device{}, fmt.Errorf("asking for the router's description: status %d", status)
	}
	d, err := parseDescription(body, b.location, g.at)
	d.bootID = b.bootID
	return d, err
}

// exchange sends a request to the gateway and reads a bounded answer.
func (g *Gateway) exchange(req *http.Request) (status int, body []byte, err error) {
	req.Close = true // many routers keep few connections, and some do not keep them well
	transport := &http.Transport{
		DialContext: g.cfg.Dial, DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 16 << 10,
	}
	client := http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err != nil {
		return 0, nil, err
	}
	if len(body) > maxBody {
		return 0, nil, fmt.Errorf("an answer of more than %d bytes", maxBody)
	}
	return res.StatusCode, body, nil
}

// parseDescription takes the services that concern us out of a device's description (UPnP Device Architecture, section 2.3),
// however deep they lie. Their URLs are relative to URLBase, or to the description's own.
func parseDescription(body []byte, location *url.URL, at netip.Addr) (device, error) {
	var d device
	var base, kind, control string
	type found struct{ kind, control string }
	var all []found
	err := leaves(body, func(path []string, text string) {
		switch path[len(path)-1] {
		case "URLBase":
			base = text
		case "UDN":
			if d.udn == "" {
				d.udn = clean(text, 128)
			}
		case "serviceType":
			kind = text
		case "controlURL":
			control = text
		default:
			return
		}
		if kind != "" && control != "" {
			all = append(all, found{kind, control})
			kind, control = "", ""
		}
	})
	if err != nil {
		return device{}, fmt.Errorf("reading the router's description: %w", err)
	}
	root := location
	if u, err := location.Parse(base); err == nil && base != "" && pin(u, at) {
		root = u
	}
	for _, f := range all {
		u, err := root.Parse(strings.TrimSpace(f.control))
		if err != nil || !pin(u, at) || len(d.services) == maxServices {
			continue
		}
		if s := (service{f.kind, u}); s.connection() || s.kind == firewallControl {
			d.services = append(d.services, s)
		}
	}
	return d, nil
}
