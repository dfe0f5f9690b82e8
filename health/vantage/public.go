package vantage

import (
	"net/http"
	"time"

	"github.com/hearthgate/hearthgate/health"
)

// Public is what every vantage needs that is somebody else's service. None of them is asked before the household has switched it on.
type Public struct {
	Setup   func() (health.Setup, error) // which services are switched on; required
	Version string                       // of Hearthgate, told to the service
	URL     string                       // where the service is; empty: the real one
	Client  *http.Client                 // nil: one of its own, without a proxy
	// Country is where the home is, in two letters, as far as anybody knows: some probes should be near. Nil or empty: unknown.
	Country func() string
}

func (p Public) on(which func(health.Setup) bool) bool {
	setup, err := p.Setup()
	return err == nil && which(setup)
}

// service is the client for a service whose usual place is url.
func (p Public) service(name, url string, client *http.Client) service {
	if p.URL != "" {
		url = p.URL
	}
	if p.Client != nil {
		client = p.Client
	}
	return service{name: name, url: url, agent: agent(p.Version), client: client}
}

// agent says who asks and where to complain; Globalping's guidelines want both, and the others deserve it.
func agent(version string) string {
	if version == "" {
		version = "unknown"
	}
	return "hearthgate/" + version + " (+https://github.com/hearthgate/hearthgate)"
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// homePorts are the ports that a rationed service is asked about: Home Assistant's own, and 8123.
func homePorts(r health.Round) (ports []uint16) {
	for _, w := range r.Ports {
		if w.Role == health.RoleHome && len(ports) < 2 {
			ports = append(ports, w.Port)
		}
	}
	return ports
}
