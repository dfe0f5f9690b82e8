package webui

import (
	"bytes"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/api"
	"github.com/hearthgate/hearthgate/webui/page"
	"github.com/hearthgate/hearthgate/webui/words"
)

// The cookies. They name no product's version and hold nothing but random bits or a choice.
const (
	sessionCookie  = "hearthgate"
	deviceCookie   = "hearthgate_device"
	languageCookie = "hearthgate_language"
	themeCookie    = "hearthgate_theme"
)

// visit is one request: who asks, in which language, and what is answered.
type visit struct {
	echo.Context
	server   *Server
	session  account.Session
	signedIn bool
	language words.Language
	theme    string
}

func (s *Server) visit(c echo.Context) *visit {
	v := &visit{Context: c, server: s, theme: "auto"}
	v.language = words.Match(v.cookie(languageCookie), c.Request().Header.Get("Accept-Language"))
	if t := v.cookie(themeCookie); t == "light" || t == "dark" {
		v.theme = t
	}
	if value := v.cookie(sessionCookie); value != "" {
		if session, err := s.cfg.Account.Session(value); err == nil {
			v.session, v.signedIn = session, true
		}
	}
	return v
}

func (v *visit) cookie(name string) string {
	c, err := v.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// forYears is how long a choice is kept by a browser, in seconds. Browsers cut it down to 400 days (RFC 6265bis).
const forYears = 400 * 24 * 3600

// setCookie gives a cookie to the browser; with age 0 it ends with the browser's session, below 0 at once. Secure stands only
// where it can: browsers drop such a cookie that comes over plain HTTP, without a word.
func (v *visit) setCookie(name, value, path string, age int) {
	v.SetCookie(&http.Cookie{
		Name: name, Value: value, Path: path, MaxAge: age,
		HttpOnly: true, Secure: v.Request().TLS != nil, SameSite: http.SameSiteStrictMode,
	})
}

// source is where the connection comes from: the connection's own other end and nothing that a header says.
func (v *visit) source() netip.Addr {
	ap, err := netip.ParseAddrPort(v.Request().RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}

func (v *visit) visitor() account.Visitor {
	return account.Visitor{Addr: v.source(), Agent: v.Request().UserAgent(), Device: v.cookie(deviceCookie)}
}

// show answers with a page.
func (v *visit) show(status int, m page.Model) error {
	f := page.Frame{
		Language: v.language, Theme: v.theme, Path: v.Request().URL.Path, SignedIn: v.signedIn,
		Reset: v.server.cfg.Reset, Now: v.server.cfg.Now(),
	}
	if v.signedIn { // a stranger need not know which flaws to try
		f.Version = v.server.cfg.Version
		f.Events, f.Types = "/api/v1/events?progress=1", liveTypes
		if v.wantsPage() { // not a page that looks whether it has changed
			f.Notices = v.server.asides.take(v.session.ID)
		}
	}
	var b bytes.Buffer
	if err := v.server.pages.Render(&b, f, m); err != nil {
		return err
	}
	return v.HTMLBlob(status, b.Bytes())
}

// hold answers a try that was refused; where it says how long nothing more is taken, so does the header (RFC 9110, section
// 10.2.3).
func (v *visit) hold(status int, wait time.Duration, m page.Model) error {
	if wait > 0 {
		v.Response().Header().Set("Retry-After", strconv.Itoa(int((wait+time.Second-1)/time.Second)))
	}
	return v.show(status, m)
}

// liveTypes are the events on which a page that is open looks again.
var liveTypes = []string{
	string(journal.PeerAdded), string(journal.PeerChanged), string(journal.PeerRemoved), string(journal.PeerRekeyed),
	string(journal.PeerExpired), string(journal.PeerFirstHandshake), string(journal.PeerConnected), string(journal.PeerDisconnected),
	string(journal.HomeAssistantFound), string(journal.HomeAssistantLost), string(journal.HomeAssistantMoved),
	string(journal.HomeAssistantChoose), string(journal.HomeAssistantWarning),
	string(journal.ExposureChanged), string(journal.ExposureSetup), string(journal.MappingDeleted), api.ExposureProgress,
	string(journal.ServiceAdded), string(journal.ServiceRemoved), string(journal.ServerRekeyed),
}

// then answers a change: the browser goes on to path, so that "reload" does not send the form again (RFC 9110, section 15.4.4).
func (v *visit) then(path string) error { return v.Redirect(http.StatusSeeOther, path) }

// aside leaves a sentence for the next page that this browser sees.
func (v *visit) aside(kind, key string, args ...any) {
	v.server.asides.put(v.session.ID, page.Notice{Kind: kind, Key: key, Args: args})
}

// local gives next if it is a path of ours, else the front page: a sign-in must not send anybody elsewhere.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return "/"
	}
	return next
}

// phonesBrowser tells whether the browser that asks runs on a phone, and which app that phone would use.
func (v *visit) phonesBrowser() (app string, onPhone bool) {
	agent := v.Request().UserAgent()
	switch {
	case strings.Contains(agent, "iPhone"), strings.Contains(agent, "iPad"):
		return "iphone", true
	case strings.Contains(agent, "Android"):
		return "android", true
	}
	return "iphone", false
}
