package homeassistant

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/coder/websocket"
)

// An inspection is what a found Home Assistant said to the questions that are not asked at every look.
type inspection struct {
	known    bool      // whether it said anything about sign-in; if not, what was known before stays
	warnings []Warning // in a fixed order
	moved    Target    // where it says that it really is, on the same host; zero when it is here
}

// inspect asks how one may sign in. GET /auth/providers is open to anybody and counts as nothing, unlike anything
// under /api/, where a request without a token is a failed sign-in that can get this machine banned.
func (e eyes) inspect(ctx context.Context, t Target) inspection {
	reply, err := e.get(ctx, t, "/auth/providers")
	if err != nil {
		return inspection{}
	}
	switch {
	case reply.status == http.StatusOK:
		types, ok := providers(reply.body)
		if !ok {
			return inspection{}
		}
		in := inspection{known: true}
		for _, name := range types {
			if name == "trusted_networks" { // listed only to callers whose address is trusted
				in.warnings = []Warning{trustedNetworksWarning(reply.from)}
			}
		}
		return in
	case reply.status == http.StatusForbidden && reply.saysForbidden():
		return inspection{known: true, warnings: []Warning{bannedWarning(reply.from)}}
	case reply.status == http.StatusBadRequest && code(reply.body) == "onboarding_required":
		return inspection{known: true, warnings: []Warning{notOnboardedWarning(t)}}
	case reply.status >= 300 && reply.status < 400:
		return inspection{moved: otherPort(t, reply.location)}
	}
	return inspection{}
}

// providers reads the kinds of sign-in: an object with a list since 2023.11, the list alone before.
func providers(body []byte) (types []string, ok bool) {
	type provider struct {
		Type string `json:"type"`
	}
	var object struct {
		Providers []provider `json:"providers"`
	}
	if err := json.Unmarshal(body, &object); err != nil {
		if err := json.Unmarshal(body, &object.Providers); err != nil {
			return nil, false
		}
	}
	for _, p := range object.Providers {
		types = append(types, p.Type)
	}
	return types, object.Providers != nil
}

func code(body []byte) string {
	var problem struct {
		Code string `json:"code"`
	}
	_ = json.Unmarshal(body, &problem) // not JSON: then it has no code
	return problem.Code
}

// otherPort reads where Home Assistant sends us. While a new installation is being set up its port 8123 answers the
// manifest and redirects everything else to the port that it will keep (home-assistant/core#174278), so that one is the
// one to pin. It is the same Home Assistant only while it is the same host; any other redirect is none of our business.
func otherPort(t Target, location string) Target {
	u, err := url.Parse(location)
	if err != nil || u.Hostname() != t.Host || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return Target{}
	}
	other := Target{Scheme: u.Scheme, Host: t.Host, Port: schemePort(u.Scheme)}
	if u.Port() != "" {
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || n == 0 {
			return Target{}
		}
		other.Port = uint16(n)
	}
	if other == t {
		return Target{}
	}
	return other
}

// version opens the WebSocket, reads the greeting, which is the only place where Home Assistant tells a stranger its
// version, and hangs up. That counts as nothing, but some versions write a line to their log, so it is asked once for
// each find and not at every look.
func (e eyes) version(ctx context.Context, t Target) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return greeting(ctx, e.client, t.URL())
}

// greeting is the version that the WebSocket's greeting names; empty where there is none. base is a URL without a path.
func greeting(ctx context.Context, client *http.Client, base string) string {
	header := http.Header{"User-Agent": {"Hearthgate"}}
	conn, response, err := websocket.Dial(ctx, base+"/api/websocket", &websocket.DialOptions{HTTPClient: client, HTTPHeader: header})
	if response != nil && response.Body != nil {
		_ = response.Body.Close()
	}
	if err != nil {
		return ""
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(4 << 10)

	_, message, err := conn.Read(ctx)
	if err != nil {
		return ""
	}
	var greeting struct {
		Type    string `json:"type"`
		Version string `json:"ha_version"`
	}
	if json.Unmarshal(message, &greeting) != nil || greeting.Type != "auth_required" || !isVersion(greeting.Version) {
		return ""
	}
	return greeting.Version
}
