package publicaddr

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// mostEcho is how much of a page is read. Cloudflare's has about 300 bytes.
const mostEcho = 4 << 10

// echo asks a page that repeats the caller's address. The family is forced where the connection is made; a redirect is no answer, and
// no proxy is used, whose address it would be.
func (f *Finder) echo(ctx context.Context, family Family, url string) answer {
	dialer := &net.Dialer{}
	client := &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
				return dialer.DialContext(ctx, network("tcp", family), address)
			},
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{err: err}
	}
	request.Header.Set("User-Agent", f.cfg.Agent)
	response, err := client.Do(request)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return answer{err: fmt.Errorf("it answered %s", response.Status)}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, mostEcho))
	if err != nil {
		return answer{err: err}
	}
	addr, country, err := readEcho(body)
	return answer{addr, country, err}
}

var errNoEcho = errors.New("its page names no address")

// readEcho reads the three shapes that there are: the address alone, {"ip":"…"}, and Cloudflare's lines of name=value.
func readEcho(body []byte) (addr netip.Addr, country string, err error) {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "{") {
		var page struct {
			IP string `json:"ip"`
		}
		if err := json.Unmarshal([]byte(text), &page); err != nil {
			return netip.Addr{}, "", errNoEcho
		}
		text = page.IP
	} else if strings.Contains(text, "=") {
		text, country = trace(text)
	}
	addr, err = netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, "", errNoEcho
	}
	return addr.Unmap(), country, nil
}

func trace(text string) (ip, country string) {
	for line := range strings.Lines(text) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), "="); name {
		case "ip":
			ip = value
		case "loc":
			if country = value; !isCountry(value) {
				country = ""
			}
		}
	}
	return ip, country
}

// isCountry leaves out XX, which is Cloudflare's word for unknown, and T1, which is Tor.
func isCountry(s string) bool {
	return len(s) == 2 && s != "XX" && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
}
