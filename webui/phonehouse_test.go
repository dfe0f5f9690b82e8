package webui

import (
	"bytes"
	"context"
	"fmt"
	"html"
	"image"
	"image/color"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	zxing "github.com/makiuchi-d/gozxing/qrcode"

	"github.com/hearthgate/hearthgate/internal/clock"
	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/internal/store"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/peers/usage"
	"github.com/hearthgate/hearthgate/webui/account"
	"github.com/hearthgate/hearthgate/webui/api"
)

const testPassphrase = "copper lantern orchard violin"

// phoneHouse is a server over a real store, registry, journal and account. The tunnel and what else belongs to other rooms is
// made up here, where it can be read.
type phoneHouse struct {
	*Server
	t       testing.TB
	store   *store.Store
	log     *lockedBuffer
	account *account.Account
	setup   account.SignedIn

	mu       sync.Mutex
	live     map[string]api.Live
	endpoint api.Endpoint
	noRoute  error
	days     []usage.Day
	syncs    int
}

func (h *phoneHouse) Live() map[string]api.Live {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.live)
}
func (h *phoneHouse) ListenPort() uint16 { return 51820 }
func (h *phoneHouse) Socket() string     { return "" }
func (h *phoneHouse) Sync(context.Context) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.syncs++
}

type houseEndpoint struct{ *phoneHouse }

func (h houseEndpoint) Endpoint() (api.Endpoint, error)       { return h.endpoint, h.noRoute }
func (h houseEndpoint) Setting() (string, bool, error)        { return "", false, nil }
func (h houseEndpoint) Set(string) error                      { return nil }
func (h *phoneHouse) Days(peerID string) ([]usage.Day, error) { return h.days, nil }
func (h *phoneHouse) List() ([]api.Service, error)            { return houseServices, nil }
func (h *phoneHouse) Add(api.AddService) (api.Service, error) { return api.Service{}, api.ErrConflict }
func (h *phoneHouse) Remove(string) error                     { return api.ErrNotFound }

var houseServices = []api.Service{
	{Name: "home-assistant", Protocol: "tcp", Port: 8123, Builtin: true, State: "up"},
	{Name: "admin", Protocol: "tcp", Port: 80, Builtin: true, State: "up"},
	{Name: "camera", Protocol: "tcp", Port: 8081, Target: "192.168.1.77:554", State: "down"},
}

func newPhoneHouse(t testing.TB) *phoneHouse {
	t.Helper()
	h := &phoneHouse{
		t: t, log: new(lockedBuffer), live: map[string]api.Live{},
		endpoint: api.Endpoint{Address: "home.example.org:51820", Scope: "configured"},
	}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	st, err := store.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	h.store = st
	happened := journal.New(st, time.Now, log)
	registry := peers.New(st, happened, clock.NewMark(st, clock.System()), log)
	registry.CheckServices(func(_ *store.Tx, name string) (bool, error) {
		for _, s := range houseServices {
			if s.Name == name {
				return true, nil
			}
		}
		return false, nil
	})
	if _, err := registry.Init(nil); err != nil {
		t.Fatal(err)
	}
	finder, err := homeassistant.New(homeassistant.Config{Store: st, Journal: happened, Log: log, URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	yes := func() bool { return true }
	h.account = account.New(account.Config{
		Store: st, Journal: happened, Now: time.Now, Synchronised: yes, Suggest: func() string { return testPassphrase }, Log: log,
	})
	h.Server, err = New(Config{
		Account: h.account, Peers: registry, Services: h, Tunnel: h, Endpoint: houseEndpoint{h}, HomeAssistant: finder, Usage: h,
		Journal: happened, Now: time.Now, Synchronised: yes, Version: "test", Log: log,
		AtHome:     netip.MustParsePrefix("192.168.1.0/24").Contains,
		LANAddress: func() (netip.Addr, error) { return netip.MustParseAddr("192.168.1.5"), nil },
		URLs:       func() []string { return []string{"http://192.168.1.5:51821/"} },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.setup, err = h.account.TakeClaim(t.Context(), account.Claiming{Code: h.account.SetupCode(), Passphrase: testPassphrase})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// browser is a person's browser: it keeps cookies, and goes to pages as one does.
type browser struct {
	house   *phoneHouse
	cookies map[string]*http.Cookie
	agent   string
	host    string
}

// stranger is a browser that is not signed in.
func (h *phoneHouse) stranger() *browser {
	return &browser{house: h, cookies: map[string]*http.Cookie{}, host: "192.168.1.5:51821"}
}

// owner is the browser that has set the page up.
func (h *phoneHouse) owner() *browser {
	b := h.stranger()
	b.cookies[sessionCookie] = &http.Cookie{Name: sessionCookie, Value: h.setup.Cookie, Path: "/"}
	return b
}

// partner is another browser that has signed in.
func (h *phoneHouse) partner() *browser {
	h.t.Helper()
	in, err := h.account.SignIn(h.t.Context(), testPassphrase, false, account.Visitor{})
	if err != nil {
		h.t.Fatal(err)
	}
	b := h.stranger()
	b.cookies[sessionCookie] = &http.Cookie{Name: sessionCookie, Value: in.Cookie, Path: "/"}
	return b
}

// session is the browser's, as the account knows it.
func (b *browser) session() account.Session {
	b.house.t.Helper()
	s, err := b.house.account.Session(b.cookies[sessionCookie].Value)
	if err != nil {
		b.house.t.Fatal(err)
	}
	return s
}

func (b *browser) ask(method, target, accept string, form url.Values) *httptest.ResponseRecorder {
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, target, body)
	r.Host, r.RemoteAddr = b.host, "192.168.1.20:40000"
	r.Header.Set("Accept", accept)
	r.Header.Set("User-Agent", b.agent)
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range b.cookies {
		if strings.HasPrefix(r.URL.Path, c.Path) {
			r.AddCookie(&http.Cookie{Name: c.Name, Value: c.Value})
		}
	}
	w := httptest.NewRecorder()
	b.house.Handler().ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c
	}
	return w
}

const navigation = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

// get goes to a page.
func (b *browser) get(target string) *httptest.ResponseRecorder {
	return b.ask(http.MethodGet, target, navigation, nil)
}

// look is what the script of an open page does.
func (b *browser) look(target string) *httptest.ResponseRecorder {
	return b.ask(http.MethodGet, target, "text/html", nil)
}

// send sends a form.
func (b *browser) send(target string, pairs ...string) *httptest.ResponseRecorder {
	form := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	return b.ask(http.MethodPost, target, navigation, form)
}

// add adds a phone and gives its path.
func (b *browser) add(name string) (path string) {
	b.house.t.Helper()
	w := b.send("/phones/new", "name", name, "service", "home-assistant", "how", "code")
	path, ok := strings.CutSuffix(w.Header().Get("Location"), "/scan")
	if w.Code != http.StatusSeeOther || !ok {
		b.house.t.Fatalf("adding %q: %d, %q\n%s", name, w.Code, w.Header(), text(w))
	}
	return path
}

// addLink adds a phone and gives the path of its one-time link.
func (b *browser) addLink(name string) (path string) {
	b.house.t.Helper()
	w := b.send("/phones/new", "name", name, "service", "home-assistant", "how", "link")
	found := regexp.MustCompile(`http://[^\s/]+(/l/[0-9a-f]{32})\b`).FindStringSubmatch(text(w))
	if w.Code != http.StatusOK || found == nil {
		b.house.t.Fatalf("a link for %q: %d\n%s", name, w.Code, text(w))
	}
	return found[1]
}

func (h *phoneHouse) phone(path string) peers.Peer {
	h.t.Helper()
	p, err := h.cfg.Peers.Get(strings.TrimPrefix(path, "/phones/"))
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// handshake is a phone coming in with its newest key, from an address.
func (h *phoneHouse) handshake(path, from string) {
	h.t.Helper()
	p := h.phone(path)
	h.mu.Lock()
	h.live[p.ID] = api.Live{Active: true, LastHandshake: time.Now(), Endpoint: from}
	h.mu.Unlock()
	if err := h.cfg.Peers.Seen(p.ID, p.Pair.PublicKey, time.Now()); err != nil {
		h.t.Fatal(err)
	}
}

var (
	markup    = regexp.MustCompile(`(?s)<(script|svg)\b.*?</(script|svg)>|<[^>]*>`)
	codesPath = regexp.MustCompile(`(?s)<figure class="paper"><svg[^>]*viewBox="0 0 (\d+) .*?<path fill="#000" d="([^"]*)"`)
	codeRun   = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
)

// text is what a person reads of a page.
func text(w *httptest.ResponseRecorder) string {
	return strings.Join(strings.Fields(html.UnescapeString(markup.ReplaceAllString(w.Body.String(), " "))), " ")
}

// scanned is the config that a phone's camera reads off a page; empty when there is none on it.
func scanned(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	for _, found := range codesPath.FindAllStringSubmatch(w.Body.String(), -1) {
		if config := decoded(t, found[1], found[2]); strings.HasPrefix(config, "[Interface]") {
			return config
		}
	}
	return ""
}

// decoded is what a code says, drawn as the page draws it and read by a decoder that is not ours.
func decoded(t testing.TB, viewBox, runs string) string {
	t.Helper()
	const scale = 4
	var side int
	mustScan(t, viewBox, &side)
	picture := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	for i := range picture.Pix {
		picture.Pix[i] = 255
	}
	for _, run := range codeRun.FindAllStringSubmatch(runs, -1) {
		var x, y, n int
		mustScan(t, run[1]+" "+run[2]+" "+run[3], &x, &y, &n)
		for i := range n * scale {
			for j := range scale {
				picture.SetGray(x*scale+i, y*scale+j, color.Gray{})
			}
		}
	}
	return read(t, picture)
}

// read tries again as a camera does: now and then the decoder misses a corner of one picture of a good code.
func read(t testing.TB, picture image.Image) string {
	t.Helper()
	var err error
	for _, hint := range []gozxing.DecodeHintType{gozxing.DecodeHintType_TRY_HARDER, gozxing.DecodeHintType_PURE_BARCODE} {
		var bitmap *gozxing.BinaryBitmap
		if bitmap, err = gozxing.NewBinaryBitmapFromImage(picture); err != nil {
			t.Fatal(err)
		}
		var result *gozxing.Result
		if result, err = zxing.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{hint: true}); err == nil {
			return result.GetText()
		}
	}
	t.Fatalf("the code on the page does not decode: %v", err)
	return ""
}

func mustScan(t testing.TB, text string, into ...any) {
	t.Helper()
	if _, err := fmt.Sscan(text, into...); err != nil {
		t.Fatal(err)
	}
}

// lockedBuffer takes what several goroutines log.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
