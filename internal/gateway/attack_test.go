package gateway

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestADeviceOnTheLANDoesNotAnswerForTheRouter: whoever is not the gateway may answer first, loudest and best.
func TestADeviceOnTheLANDoesNotAnswerForTheRouter(t *testing.T) {
	t.Parallel()
	r, g := newRouter(t)
	var asked atomic.Int64
	thief, err := listenOn(t, "127.0.0.9:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) })}
	go func() { _ = server.Serve(thief) }()
	t.Cleanup(func() { server.Close() })
	r.set(func(r *router) {
		r.location = "http://" + thief.Addr().String() + "/desc.xml" // the router's port is another: nobody answers there
		r.description = func(w http.ResponseWriter, req *http.Request) bool {
			http.Redirect(w, req, "http://"+thief.Addr().String()+"/", http.StatusFound)
			return true
		}
	})
	if p, err := g.Look(t.Context()); err != nil || p.Table {
		t.Errorf("%+v, %v", p, err)
	}
	r.set(func(r *router) { r.location = "" }) // and now the redirect
	if p, err := g.Look(t.Context()); err != nil || p.Table {
		t.Errorf("%+v, %v", p, err)
	}
	if asked.Load() != 0 {
		t.Errorf("%d requests went to a third machine", asked.Load())
	}
}

// TestXMLThatWantsToGrow costs what it weighs.
func TestXMLThatWantsToGrow(t *testing.T) {
	t.Parallel()
	bomb := `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "` + strings.Repeat("x", 1000) + `">` +
		`<!ENTITY b "` + strings.Repeat("&a;", 1000) + `">]><root><UDN>` + strings.Repeat("&b;", 1000) + `</UDN></root>`
	for name, body := range map[string]string{
		"entities": bomb, "depth": strings.Repeat("<a>", 60_000), "elements": "<r>" + strings.Repeat("<a/>", 60_000) + "</r>",
		"one long name": "<" + strings.Repeat("a", maxBody-2) + ">", "an external one": `<!DOCTYPE x SYSTEM "file:///etc/passwd"><x>&x;</x>`,
	} {
		longest := 0
		_ = leaves([]byte(body), func(_ []string, text string) { longest = max(longest, len(text)) })
		if longest > len(body) {
			t.Errorf("%s: %d bytes became %d", name, len(body), longest)
		}
	}
}

// TestNothingIsDeletedUnseen: where the router does not say what stands at a port, that is left alone.
func TestNothingIsDeletedUnseen(t *testing.T) {
	t.Parallel()
	r, g := newRouter(t)
	mine := tcp(8123, home, 8123)
	r.set(func(r *router) {
		r.rows = []Mapping{tcp(8123, "192.168.77.99", 80)} // somebody else's by now
		r.action = func(name string, _ map[string]string) (any, int) {
			if name == "GetSpecificPortMappingEntry" {
				return nil, faultAction
			}
			return nil, 0
		}
	})
	err := g.Delete(t.Context(), mine)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil || len(r.rows) != 1 {
		t.Errorf("%v, left: %+v", err, r.rows)
	}
}
