// Package lab is a household in network namespaces, for tests: a phone somewhere on the internet, a home router with
// NAT, and behind it a LAN with the appliance, Home Assistant and a neighbour who listens. What a test sees here is
// what a household would see, with Debian's own WireGuard and the kernel's own router between the two ends.
//
// What it keeps true: the machine's network is not touched, not even looked at, and nothing is left behind. A package
// that uses the lab gives its TestMain to [Main], which starts the test binary once more in user, network, mount, PID
// and UTS namespaces of its own. Everything is made inside; the kernel takes all of it away when that process ends,
// however it ends, kill -9 and a panic included. It works as root, and without root wherever the kernel lets a user
// make namespaces; where it does not, tests that need the lab are left out by name ([Need]), and with CI set they fail.
//
// The nouns. A [Lab] is one household; tests may run several at once, for no two share anything. A [Host] is a machine
// in it: a process that sleeps, and its network, mount and UTS namespaces. A host has its own /run and /etc/hosts and
// shares every other directory with the machine. A [Process] runs on a host. A [Tunnel] is the phone's end of
// WireGuard, kept by wireguard-go and wg. A [Bait] is a listener that should never be found, and remembers who found it.
//
//	phones 11.0.1.11 ...             2a77:db8:c::11 ...
//	   |   bridge "carrier"
//	   |                             witness 11.0.17.10     2a77:db8:d1::10
//	   |                                |
//	   |                             provider1 11.0.17.1    2a77:db8:d1::1   passes everything on
//	   |                                |      11.0.33.2    2a77:db8:e1::2
//	internet 11.0.1.1  2a77:db8:c::1 ---+      11.0.33.1    2a77:db8:e1::1
//	   |     11.0.0.1  2a77:db8:b::1     a router that knows its own links, the witnesses' and the home's IPv6
//	   |                                 network, and no private network at all
//	router   11.0.0.2 (wan)      2a77:db8:b::2       NAT; 51820/udp goes to the appliance over both families,
//	   |     192.168.77.1 (lan)  2a77:db8:77::1      everything else from outside is dropped without a word
//	   |
//	appliance 192.168.77.10      2a77:db8:77::10
//	homeassistant        .20               ::20
//	neighbour            .30               ::30      with a bait on port 80, TCP and UDP
//
// Phones and witnesses are added by the test. With [SharedAddress] the home has no IPv4 address of its own: between
// internet and router stands "carriernat", 11.0.0.2 outside, with the router at 100.64.7.2 and another household's machine,
// "nextdoor", at 100.64.8.2. An [Opening] is a way through the router that somebody made; [Host.Rules] are a test's own
// nftables rules on any host, to drop, to count, to translate.
//
// On every host but the routers the link is called eth0. Addresses outside look like anybody's and are not those set aside
// for documentation (RFC 5737, RFC 3849), because what is tested here treats those as special, as it should: miniupnpd
// forwards nothing behind them, a witness refuses to look at them, browsers take them for local. They can do no harm, for
// these namespaces have no way out: a packet that got to the internet's router and is for nobody here ends there. The IPv6
// ones are not even allocated to anybody. Every lab host knows the others by name; "home.example" is the home's address as the
// internet sees it. There is no DNS.
//
// What it never does: it changes no sysctl, no rule, no link, no mount and no file in /run of the machine; it ends no
// process that it did not start; it is never part of the product, which runs no other program and needs no privilege.
package lab
