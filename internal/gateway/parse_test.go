package gateway

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestLeads(t *testing.T) {
	t.Parallel()
	ha := netip.MustParseAddr(home)
	with := func(m Mapping) Mapping { m.Internal = netip.MustParseAddr(m.Client); return m }
	for _, c := range []struct {
		name     string
		m        Mapping
		external uint16
	}{
		{"straight", with(tcp(8123, home, 8123)), 8123},
		{"from another port", with(tcp(443, home, 8123)), 443},
		{"to another port", with(tcp(8123, home, 80)), 0},
		{"to another machine", with(tcp(8123, "192.168.77.30", 8123)), 0},
		{"in a range", with(Mapping{External: 9000, Last: 9010, Client: home, Port: 8120}), 9003},
		{"behind a range", with(Mapping{External: 9000, Last: 9002, Client: home, Port: 8120}), 0},
		{"before a range", with(Mapping{External: 9000, Last: 9002, Client: home, Port: 8124}), 0},
		{"in a range that names no port inside", with(Mapping{External: 8100, Last: 8200, Client: home}), 8123},
		{"everything", with(Mapping{Client: home}), 8123},
		{"everything, to another port", with(Mapping{Client: home, Port: 80}), 0},
		{"a name", Mapping{External: 8123, Last: 8123, Client: "homeassistant", Port: 8123}, 0},
	} {
		if got, ok := c.m.Leads(ha, 8123); got != c.external || ok != (c.external != 0) {
			t.Errorf("%s: %d, %t", c.name, got, ok)
		}
	}
}

func TestPortRange(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]uint16{
		"8123": {8123, 8123}, " 0 ": {0, 0}, "": {0, 0}, "5058-5059": {5058, 5059}, "5059-5058": {1, 0}, "65536": {1, 0}, "-1": {1, 0},
		"x": {1, 0}, "1-2-3": {1, 0},
	} {
		first, last, ok := portRange(text)
		if ok != (want[0] <= want[1]) || ok && (first != want[0] || last != want[1]) {
			t.Errorf("%q: %d to %d, %t", text, first, last, ok)
		}
	}
}

func TestRestarted(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	at := func(seconds uint32, after time.Duration) Picture {
		return Picture{Epoch: Epoch{NATPMP, seconds, now.Add(after)}}
	}
	for _, c := range []struct {
		name   string
		before Picture
		after  Picture
		want   bool
	}{
		{"time goes on", at(100, 0), at(1000, 900*time.Second), false},
		{"its clock is slow", at(100, 0), at(900, 900*time.Second), false},
		{"its clock is far too slow", at(100, 0), at(500, 900*time.Second), true},
		{"it began anew", at(5000, 0), at(3, 900*time.Second), true},
		{"another protocol's count", at(5000, 0), Picture{Epoch: Epoch{PCP, 3, now}}, false},
		{"it does not say any more", at(5000, 0), Picture{}, false},
		{"it says now", Picture{}, at(1, 0), false},
		{"another boot", Picture{BootID: "1"}, Picture{BootID: "2"}, true},
		{"another device", Picture{UDN: "1"}, Picture{UDN: "2"}, true},
		{"nothing was known", Picture{}, Picture{UDN: "2", BootID: "3"}, false},
	} {
		if got := c.after.Restarted(c.before); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

// listed is what miniupnpd 2.3.1 answers, without the wrapping.
const listed = `<p:PortMappingList xmlns:p="urn:schemas-upnp-org:gw:WANIPConnection">` +
	`<p:PortMappingEntry><p:NewRemoteHost></p:NewRemoteHost><p:NewExternalPort>443</p:NewExternalPort><p:NewProtocol>TCP</p:NewProtocol>` +
	`<p:NewInternalPort>8123</p:NewInternalPort><p:NewInternalClient>192.168.77.20</p:NewInternalClient><p:NewEnabled>1</p:NewEnabled>` +
	`<p:NewDescription>x</p:NewDescription><p:NewLeaseTime>3600</p:NewLeaseTime></p:PortMappingEntry>` +
	`<p:PortMappingEntry><p:NewRemoteHost></p:NewRemoteHost><p:NewExternalPort>22</p:NewExternalPort><p:NewProtocol>TCP</p:NewProtocol>` +
	`<p:NewInternalPort>22</p:NewInternalPort><p:NewInternalClient>192.168.77.30</p:NewInternalClient><p:NewEnabled>0</p:NewEnabled>` +
	`<p:NewDescription></p:NewDescription><p:NewLeaseTime>0</p:NewLeaseTime></p:PortMappingEntry></p:PortMappingList>`

func TestParseList(t *testing.T) {
	t.Parallel()
	got := parseList([]byte(listed))
	if len(got) != 2 || got[0].External != 443 || got[0].Lease != time.Hour || got[0].Description != "x" || got[1].Enabled {
		t.Errorf("%+v", got)
	}
	if half := parseList([]byte(listed[:len(listed)/2+100] + "<")); len(half) > 1 {
		t.Errorf("half a row: %+v", half)
	}
}

func TestTextOfTheRouterIsCleaned(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Kamera \u202e\x00\n1": "Kamera 1", "ä\xff": "ä", strings.Repeat("a", 100): strings.Repeat("a", 64), strings.Repeat("ä", 40): strings.Repeat("ä", 32),
	} {
		if got := clean(in, 64); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

func TestDescriptionInLatin1(t *testing.T) {
	t.Parallel()
	text := "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><root><device><friendlyName>K\xfcche</friendlyName><UDN>uuid:1</UDN>" +
		"<serviceList><service><serviceType>" + connections[1] + "</serviceType><controlURL>ctl</controlURL></service></serviceList></device></root>"
	d, err := parseDescription([]byte(text), mustURL(t, "http://192.168.1.1:49000/a/b.xml"), netip.MustParseAddr("192.168.1.1"))
	if err != nil || len(d.services) != 1 || d.services[0].control.String() != "http://192.168.1.1:49000/a/ctl" {
		t.Errorf("%+v, %v", d, err)
	}
}

func mustURL(t testing.TB, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func FuzzBeacon(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nLOCATION: http://192.168.77.1:5000/rootDesc.xml\r\nBOOTID.UPNP.ORG: 1795353030\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\nLocation:http://a@[::1]/#x\n"))
	f.Add([]byte("NOTIFY * HTTP/1.1\r\n\r\n"))
	at := netip.MustParseAddr("192.168.77.1")
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := parseBeacon(data)
		if err != nil || !pin(b.location, at) {
			return
		}
		if b.location.Hostname() != at.String() || b.location.Scheme != "http" || b.location.User != nil || len(b.bootID) > 32 {
			t.Errorf("%q leads to %v", data, b.location)
		}
		if again, err := url.Parse(b.location.String()); err != nil || again.Hostname() != at.String() {
			t.Errorf("%q leads to %v when it is read again, %v", data, again, err)
		}
	})
}

func FuzzDescription(f *testing.F) {
	f.Add([]byte("<root><URLBase>http://a/</URLBase><device><UDN>x</UDN><service><serviceType>" + firewallControl +
		"</serviceType><controlURL>//b/c</controlURL></service></device></root>"))
	f.Add([]byte("<a><b></a>"))
	at := netip.MustParseAddr("192.168.77.1")
	f.Fuzz(func(t *testing.T, data []byte) {
		d, _ := parseDescription(data, mustURL(t, "http://192.168.77.1/x"), at)
		for _, s := range d.services {
			if s.control.Hostname() != at.String() || s.control.Scheme != "http" {
				t.Errorf("%v is not the router", s.control)
			}
		}
		if len(d.services) > maxServices || len(d.udn) > 128 {
			t.Errorf("%+v", d)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(200, []byte("<s:Envelope><s:Body><u:XResponse><NewExternalIPAddress>1.2.3.4</NewExternalIPAddress></u:XResponse></s:Body></s:Envelope>"))
	f.Add(500, []byte("<Fault><errorCode>714</errorCode></Fault>"))
	f.Add(200, []byte(listed))
	f.Fuzz(func(t *testing.T, status int, data []byte) {
		out, err := parseAnswer(status, data)
		if err == nil {
			if m, ok := parseMapping(out); ok && (m.Client == "" || m.Protocol != "TCP" && m.Protocol != "UDP" || m.Last < m.External) {
				t.Errorf("%+v", m)
			}
		}
		for _, m := range parseList(data) {
			if len(m.Description) > 64 || m.Client == "" || strings.ContainsAny(m.Description+m.Client, "\r\n\x00") {
				t.Errorf("%+v", m)
			}
		}
	})
}

func FuzzDatagrams(f *testing.F) {
	f.Add([]byte{0, 128, 0, 0, 0, 0, 0, 99, 100, 64, 1, 2}, byte(0))
	f.Add(slices.Concat([]byte{2, 0x81, 0, 0, 0, 0, 0, 120, 0, 0, 1, 1}, make([]byte, 48)), byte(1))
	f.Fuzz(func(t *testing.T, data []byte, op byte) {
		op &= 3
		if r, err := parsePMP(data, op); err == nil && op == pmpAddress && !r.addr.Is4() {
			t.Errorf("%x: %+v", data, r)
		}
		if r, err := parsePCP(data, op); err == nil && r.result != 0 {
			t.Errorf("%x: %+v", data, r)
		}
	})
}
