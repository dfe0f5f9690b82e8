package e2e

import (
	"net/http"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// byGlobalping: a household without a witness of its own that has switched public probes on.
func byGlobalping() []scenario {
	only := func(t *testing.T, how publicService, canary bool) *home {
		h := unstartedHome(t)
		h.publicServices(t, how)
		h.liveAt(t, h.HomeAssistant, homeVersion, 8123)
		h.StartRouterService(t, lab.RouterService{UPnP: true, PCP: true})
		h.start(t)
		if canary {
			h.do(t, "vantage", "canary", "on")
		}
		h.do(t, "vantage", "globalping", "on")
		return h
	}
	return []scenario{
		{"with the canary it is closed", func(t *testing.T) {
			h := only(t, publicService{}, true)
			if exit, v := h.check(t); v.State == "exposed" || v.family("ipv4") != "closed" {
				t.Errorf("exit %d, closed over IPv4 was expected: %v", exit, v)
			}
		}},
		{"without the canary the path is only inferred", func(t *testing.T) {
			h := only(t, publicService{}, false)
			if exit, v := h.check(t); exit != exitUnverified || !v.says("path_inferred", "no_vantage") {
				t.Errorf("exit %d, unverified was expected: %v", exit, v)
			}
		}},
		{"it refuses our address", func(t *testing.T) {
			h := only(t, publicService{refuse: func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusBadRequest)
				_, _ = w.Write([]byte(`{"error":{"type":"validation_error","message":"Parameter validation failed.",` +
					`"params":{"target":"Provided address is blacklisted."}}}`)) // the reader hung up: nobody to tell
				return true
			}}, true)
			if exit, v := h.check(t); exit != exitUnverified || !v.says("vantage_refused") {
				t.Errorf("exit %d, unverified for it refuses was expected: %v", exit, v)
			}
		}},
		{"443 leads to Home Assistant", func(t *testing.T) {
			h := only(t, publicService{}, true)
			h.Open(t, lab.Forward{External: 443, To: h.HomeAssistant, Port: 8123})
			if exit, v := h.check(t); exit == exitClosed {
				t.Errorf("A FALSE CLOSED: exit %d: %v", exit, v)
			}
		}},
	}
}
