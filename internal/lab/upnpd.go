package lab

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// RouterService is what the household's router does for whoever asks it to: Debian's own miniupnpd, which makes true rules of
// what it is asked for. Its zero value does nothing.
type RouterService struct {
	UPnP bool // IGD version 2, at [RouterService.Port]
	PCP  bool // PCP and NAT-PMP, over both families: one switch of miniupnpd's
	// Anybody lets a device map a port to another device, as most routers that are sold do. miniupnpd itself does not, unless told.
	Anybody bool
	// External is the address that it says it has outside, where it is not that of its link.
	External netip.Addr
	Port     int    // of its HTTP; 0: 5000
	UUID     string // of its device; empty: always the same
}

// upnpRules give miniupnpd chains of its own in the router's table, so that what it opens is open, IPv6 pinholes too.
const upnpRules = `table inet home {
	chain upnp_forward {
	}
	chain upnp_mappings {
	}
	chain upnp_sharing {
	}
}
flush chain inet home upnp_forward
flush chain inet home upnp_mappings
flush chain inet home upnp_sharing
`

const upnpJumps = `insert rule inet home through jump upnp_forward
insert rule inet home mappings jump upnp_mappings
insert rule inet home sharing jump upnp_sharing
`

// upnpConf is miniupnpd.conf(5), of version 2.3.1, where enable_natpmp is PCP, too. Its notices are rare, so that what a test sees
// is an answer to what it has asked.
const upnpConf = `ext_ifname=wan
listening_ip=lan
http_port=%[1]d
enable_upnp=%[2]s
enable_natpmp=%[3]s
secure_mode=%[4]s
uuid=%[5]s
min_lifetime=120
max_lifetime=86400
upnp_table_name=home
upnp_nat_table_name=home
upnp_forward_chain=upnp_forward
upnp_nat_chain=upnp_mappings
upnp_nat_postrouting_chain=upnp_sharing
notify_interval=900
lease_file=/run/upnp.leases
friendly_name=Router of the lab
%[6]sallow 1-65535 %[7]s 1-65535
deny 0-65535 0.0.0.0/0 0-65535
`

// StartRouterService starts the service on the household's router, until the test ends or the process is stopped. Started again, it has
// forgotten what was open, as a router has that was switched off, and counts its seconds from the start.
func (l *Lab) StartRouterService(t testing.TB, s RouterService) *Process {
	t.Helper()
	Need(t, "miniupnpd")
	if err := l.prepareRouterService(s); err != nil {
		t.Fatalf("starting the router's service: %v", err)
	}
	p := Start(t, l.Router.Command(t.Context(), "miniupnpd", "-d", "-f", l.Router.Path("/run/upnp.conf"), "-P", "/run/upnp.pid"))
	p.WaitFor(t, s.ready(), 10*time.Second)
	return p
}

// ready is what miniupnpd writes when it has opened the last of its sockets.
func (s RouterService) ready() string {
	if s.PCP {
		return "Listening for NAT-PMP/PCP traffic on port 5351"
	}
	return "HTTP listening on port"
}

func (l *Lab) prepareRouterService(s RouterService) error {
	chains, err := l.Router.ask("nft", "list", "table", "inet", "home")
	if err != nil {
		return err
	}
	rules := upnpRules
	if !strings.Contains(chains, "jump upnp_forward") {
		rules += upnpJumps
	}
	if err := l.Router.feed(rules, "nft", "-f", "-"); err != nil {
		return err
	}
	if err := os.WriteFile(l.Router.Path("/run/upnp.leases"), nil, 0o600); err != nil {
		return err
	}
	return os.WriteFile(l.Router.Path("/run/upnp.conf"), []byte(s.conf(l)), 0o600)
}

func (s RouterService) conf(l *Lab) string {
	yes := map[bool]string{true: "yes", false: "no"}
	external, port, uuid := "", 5000, "3e0ba0b4-0000-4000-8000-000000000001"
	if s.External.IsValid() {
		external = fmt.Sprintf("ext_ip=%s\n", s.External)
	}
	if s.Port != 0 {
		port = s.Port
	}
	if s.UUID != "" {
		uuid = s.UUID
	}
	return fmt.Sprintf(upnpConf, port, yes[s.UPnP], yes[s.PCP], yes[!s.Anybody], uuid, external, l.LAN4)
}
