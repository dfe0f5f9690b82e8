package gateway

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/netinfo"
)

// A router is a stand-in that speaks SSDP, SOAP, NAT-PMP and PCP over real sockets of loopback, and can be made to lie.
type router struct {
	*httptest.Server
	bootID      string
	location    string                                             // that it tells; empty: its own
	services    []string                                           // UPnP types
	description func(w http.ResponseWriter, r *http.Request) bool  // true: it has answered
	action      func(name string, in map[string]string) (any, int) // what to answer before rows are looked at; nil: rows
	datagram    func([]byte) []byte                                // PCP and NAT-PMP; nil: silence

	mu      sync.Mutex
	rows    []Mapping
	forever bool // it says yes to a lease and keeps none
	calls   []string
}

const descriptionText = `<?xml version="1.0"?>
<root xmlns="urn:schemas-upnp-org:device-1-0"><device><UDN>uuid:stand-in</UDN><serviceList></serviceList>
<deviceList><device><UDN>uuid:inner</UDN><serviceList>%s</serviceList></device></deviceList></device></root>`

const serviceText = `<service><serviceType>%s</serviceType><serviceId>x</serviceId><SCPDURL>/scpd</SCPDURL>` +
	`<controlURL>%s</controlURL></service>`

// newRouter gives a router, and a Gateway to ask it.
func newRouter(t *testing.T) (*router, *Gateway) {
	t.Helper()
	r := &router{bootID: "7", services: []string{connections[1]}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	g := New(Config{Route: func() (netinfo.Route, error) {
		return netinfo.Route{Gateway: netip.MustParseAddr("127.0.0.1")}, nil
	}})
	g.tuning = tuning{ssdp: r.listen(t, r.beacon), pcp: r.listen(t, func(b []byte) []byte {
		r.mu.Lock()
		answer := r.datagram
		r.mu.Unlock()
		if answer == nil {
			return nil
		}
		return answer(b)
	}), call: 500 * time.Millisecond, datagram: 20 * time.Millisecond}
	return r, g
}

// set changes what it says.
func (r *router) set(change func(*router)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

func (r *router) listen(t *testing.T, answer func([]byte) []byte) uint16 {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buffer := make([]byte, 2048)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			if b := answer(buffer[:n]); b != nil {
				_, _ = conn.WriteTo(b, from)
			}
		}
	}()
	return netip.MustParseAddrPort(conn.LocalAddr().String()).Port()
}

func (r *router) beacon(request []byte) []byte {
	text := string(request)
	if !strings.Contains(text, `MAN: "ssdp:discover"`) || !strings.Contains(text, "MX: 2\r\n") || !strings.Contains(text, anyIGD) {
		return nil
	}
	r.mu.Lock()
	location, bootID := r.location, r.bootID
	r.mu.Unlock()
	if location == "" {
		location = r.URL + "/desc.xml"
	}
	return []byte("HTTP/1.1 200 OK\r\nLOCATION: " + location + "\r\nST: " + anyIGD + "\r\nBOOTID.UPNP.ORG: " + bootID + "\r\n\r\n")
}

func (r *router) serve(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodGet {
		r.mu.Lock()
		describe, kinds := r.description, r.services
		r.mu.Unlock()
		if describe != nil && describe(w, req) {
			return
		}
		var services strings.Builder
		for i, s := range kinds {
			fmt.Fprintf(&services, serviceText, s, fmt.Sprintf("/ctl/%d", i))
		}
		fmt.Fprintf(w, descriptionText, services.String())
		return
	}
	body, _ := io.ReadAll(req.Body)
	_, name, _ := strings.Cut(strings.Trim(req.Header.Get("SOAPAction"), `"`), "#")
	in := make(map[string]string)
	_ = leaves(body, func(path []string, text string) { in[path[len(path)-1]] = text })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls = append(r.calls, name)
	out, code := r.answer(name, in)
	if code != 0 {
		w.WriteHeader(http.StatusInternalServerError)
		fmt.Fprintf(w, `<s:Envelope><s:Body><s:Fault><faultcode>s:Client</faultcode><detail><UPnPError><errorCode>%d</errorCode>`+
			`<errorDescription>no</errorDescription></UPnPError></detail></s:Fault></s:Body></s:Envelope>`, code)
		return
	}
	if raw, ok := out.(string); ok {
		fmt.Fprint(w, raw)
		return
	}
	fmt.Fprintf(w, `<s:Envelope><s:Body><u:%sResponse>`, name)
	if args, ok := out.(map[string]string); ok {
		for _, k := range slices.Sorted(maps.Keys(args)) {
			fmt.Fprintf(w, "<%s>%s</%s>", k, args[k], k)
		}
	}
	fmt.Fprintf(w, `</u:%sResponse></s:Body></s:Envelope>`, name)
}

func (r *router) answer(name string, in map[string]string) (any, int) {
	if r.action != nil {
		if out, code := r.action(name, in); out != nil || code != 0 {
			return out, code
		}
	}
	port, _ := strconv.Atoi(in["NewExternalPort"])
	at := slices.IndexFunc(r.rows, func(m Mapping) bool { return int(m.External) == port && m.Protocol == in["NewProtocol"] })
	switch name {
	case "GetExternalIPAddress":
		return map[string]string{"NewExternalIPAddress": "11.0.0.2"}, 0
	case "GetFirewallStatus":
		return map[string]string{"FirewallEnabled": "0", "InboundPinholeAllowed": "1"}, 0
	case "GetGenericPortMappingEntry":
		i, _ := strconv.Atoi(in["NewPortMappingIndex"])
		if i >= len(r.rows) {
			return nil, faultNoIndex
		}
		return row(r.rows[i]), 0
	case "GetSpecificPortMappingEntry":
		if at < 0 {
			return nil, faultNoEntry
		}
		return row(r.rows[at]), 0
	case "AddPortMapping":
		internal, _ := strconv.Atoi(in["NewInternalPort"])
		lease, _ := strconv.Atoi(in["NewLeaseDuration"])
		made := tcp(uint16(port), in["NewInternalClient"], uint16(internal))
		if made.Lease = time.Duration(lease) * time.Second; r.forever {
			made.Lease = 0
		}
		r.rows = append(r.rows, made)
		return map[string]string{}, 0
	case "DeletePortMapping":
		if at < 0 {
			return nil, faultNoEntry
		}
		r.rows = slices.Delete(r.rows, at, at+1)
		return map[string]string{}, 0
	default:
		return nil, faultAction
	}
}

func row(m Mapping) map[string]string {
	return map[string]string{
		"NewRemoteHost": m.Remote, "NewExternalPort": decimal(m.External), "NewProtocol": m.Protocol, "NewInternalPort": decimal(m.Port),
		"NewInternalClient": m.Client, "NewEnabled": "1", "NewPortMappingDescription": m.Description,
		"NewLeaseDuration": strconv.Itoa(int(m.Lease / time.Second)),
	}
}

func tcp(external uint16, client string, port uint16) Mapping {
	return Mapping{Protocol: "TCP", External: external, Last: external, Client: client, Port: port, Enabled: true}
}

// pcpServer answers as one that maps everything, after change has been at the answer.
func pcpServer(change func([]byte) []byte) func([]byte) []byte {
	return func(b []byte) []byte {
		if len(b) < 24 || b[0] != pcpVersion {
			return []byte{0, 0x80, 0, 1, 0, 0, 0, 0}
		}
		b = slices.Clone(b)
		b[1] |= pcpAnswer
		binary.BigEndian.PutUint32(b[8:], 4711)
		if len(b) >= 60 {
			addr := netip.MustParseAddr("11.0.0.2").As16()
			copy(b[44:], addr[:])
		}
		return change(b)
	}
}

func listenOn(t *testing.T, address string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(t.Context(), "tcp4", address)
}
