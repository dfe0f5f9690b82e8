package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// mapByUPnP has a machine on the LAN ask the router for a mapping to Home Assistant, as many programs do unasked: plain SOAP to
// miniupnpd's control URL (UPnP WANIPConnection:1, AddPortMapping).
func mapByUPnP(t testing.TB, h *home, external, internal uint16) (remove func()) {
	t.Helper()
	soap(t, h, "AddPortMapping", fmt.Sprintf(`<NewRemoteHost></NewRemoteHost><NewExternalPort>%d</NewExternalPort><NewProtocol>TCP</NewProtocol>`+
		`<NewInternalPort>%d</NewInternalPort><NewInternalClient>%s</NewInternalClient><NewEnabled>1</NewEnabled>`+
		`<NewPortMappingDescription>a camera</NewPortMappingDescription><NewLeaseDuration>0</NewLeaseDuration>`,
		external, internal, h.HomeAssistant.Addr4))
	return func() {
		t.Helper()
		soap(t, h, "DeletePortMapping", fmt.Sprintf(`<NewRemoteHost></NewRemoteHost><NewExternalPort>%d</NewExternalPort>`+
			`<NewProtocol>TCP</NewProtocol>`, external))
	}
}

func soap(t testing.TB, h *home, action, arguments string) {
	t.Helper()
	const service = "urn:schemas-upnp-org:service:WANIPConnection:1"
	body := fmt.Sprintf(`<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" `+
		`s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body><u:%[1]s xmlns:u="%[2]s">%[3]s</u:%[1]s></s:Body></s:Envelope>`,
		action, service, arguments)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, fmt.Sprintf("http://%s:5000/ctl/IPConn", h.Router.Addr4), bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("SOAPAction", fmt.Sprintf("%q", service+"#"+action))
	req.Header.Set("Content-Type", `text/xml; charset="utf-8"`)
	client := h.Neighbour.HTTPClient()
	client.Timeout = 20 * time.Second
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", action, resp.Status)
	}
}

// mappings: one that somebody made by UPnP is seen in the router's table without a witness, and through it by one.
func mappings() []scenario {
	return []scenario{
		{"with nobody outside", func(t *testing.T) {
			h := watchedHome(t)
			h.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true, Anybody: true})
			remove := mapByUPnP(t, h, 8123, 8123)
			if exit, v := h.check(t); exit != exitExposed || !v.says("mapped") || v.door("ipv4", 8123) != "exposed" {
				t.Errorf("exit %d, exposed by a mapping was expected: %v", exit, v)
			}
			remove()
			if exit, v := h.check(t); exit == exitClosed || !v.says("not_yet_closed") {
				t.Errorf("after it was removed: exit %d, %v", exit, v)
			}
			if got := h.turns(t); count(got, "exposed") != 1 {
				t.Errorf("the journal says %q", got)
			}
		}},
		{"with a witness, by another port", func(t *testing.T) {
			h := watchedHome(t)
			h.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true, Anybody: true})
			remove := mapByUPnP(t, h, 8443, 8123)
			w := h.outside(t, "witness")
			h.trust(t, w.invite(t))
			if exit, v := h.check(t); exit != exitExposed || !v.says("mapped") || !v.says("seen_open") || v.door("ipv4", 8443) != "exposed" {
				t.Errorf("exit %d, exposed by the mapping and to the witness was expected: %v", exit, v)
			}
			remove()
			if exit, v := h.check(t); exit != exitExposed || !v.says("not_yet_closed") {
				t.Errorf("after it was removed: exit %d, %v", exit, v)
			}
			if got := h.turns(t); count(got, "exposed") != 1 || count(got, "closed") != 0 {
				t.Errorf("the journal says %q", got)
			}
		}},
		{"one that leads nowhere", func(t *testing.T) {
			h := watchedHome(t)
			h.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true, Anybody: true})
			mapByUPnP(t, h, 8099, 8099)
			w := h.outside(t, "witness")
			h.trust(t, w.invite(t))
			if exit, v := h.check(t); exit == exitExposed {
				t.Errorf("exit %d: %v", exit, v)
			}
		}},
	}
}

// canaries: a port of our own, opened on the router for a moment, shows whether a witness can be believed.
func canaries() []scenario {
	withCanary := func(t *testing.T) *home {
		h := watchedHome(t)
		h.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true})
		h.do(t, "vantage", "canary", "on")
		return h
	}
	return []scenario{
		{"an honest witness sees it", func(t *testing.T) {
			h := withCanary(t)
			w := h.outside(t, "witness")
			h.trust(t, w.invite(t))
			if exit, v := h.check(t); exit != exitClosed {
				t.Errorf("exit %d, closed was expected: %v", exit, v)
			}
			if rules := h.Router.Run(t, "nft", "list", "table", "inet", "home"); bytes.Contains([]byte(rules), []byte("dnat ip to "+h.Appliance.Addr4.String()+":")) {
				t.Errorf("the canary is still open:\n%s", rules)
			}
		}},
		{"one that lies about everything does not", func(t *testing.T) {
			h := withCanary(t)
			forward(8123)(t, h)
			h.trustLiar(t, h.outside(t, "witness"))
			if exit, v := h.check(t); exit != exitUnverified || !v.says("canary_lost") {
				t.Errorf("exit %d, unverified for the canary was not seen was expected: %v", exit, v)
			}
		}},
		{"one that guesses that every canary is open is found out by nothing but an honest one", func(t *testing.T) {
			h := withCanary(t)
			forward(8123)(t, h)
			w, honest := h.outside(t, "witness"), h.outside(t, "honest")
			invite := w.invite(t)
			w.liar(t, liar{canary: func(at liarResult) liarResult { at.State, at.Why = "open", "connected"; return at }})
			h.trust(t, invite)
			h.trust(t, honest.invite(t))
			if exit, v := h.check(t); exit == exitClosed {
				t.Errorf("A FALSE CLOSED: exit %d: %v", exit, v)
			}
		}},
		{"no port can be opened", func(t *testing.T) {
			h := watchedHome(t)
			h.do(t, "vantage", "canary", "on")
			w := h.outside(t, "witness")
			h.trust(t, w.invite(t))
			if exit, v := h.check(t); exit != exitUnverified || !v.says("canary_none") {
				t.Errorf("exit %d, unverified for there was no canary was expected: %v", exit, v)
			}
		}},
	}
}

// lyingAddress: a witness says that it looked at an address, and the router says that it is not ours.
func lyingAddress(t *testing.T) {
	h := watchedHome(t)
	h.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true})
	forward(8123)(t, h)
	w := h.outside(t, "witness")
	invite := w.invite(t)
	w.liar(t, liar{lookedAt: "11.0.0.99"})
	h.trust(t, invite)
	if exit, v := h.check(t); exit != exitUnverified || !v.says("wrong_target", "public_ambiguous", "vantage_broken") {
		t.Errorf("exit %d, unverified for it was the wrong target was expected: %v", exit, v)
	}
}
