package browser_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"

	"github.com/hearthgate/hearthgate/internal/lab"
)

func TestMain(m *testing.M) { lab.Main(m) }

// limit is how long what must come may take on a machine that is busy.
const limit = 20 * time.Second

// policy is as strict as the product's.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

const secret = "[Interface]\nPrivateKey = AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nAddress = 10.1.2.3/32\n"

// pages are what the little site shows: a head and a foot are put around each.
var pages = map[string]string{
	"/": `<h1>Home</h1><p id=script>no script has run</p><noscript><p id=noscript>scripts are off</p></noscript>
		<a href="/add">Add a phone</a> <button id=here>Say it here</button> <button disabled>Never</button>
		<button hidden>Hidden</button> <button class=pause>Pause</button> <button class=pause>Pause</button>
		<div id=wall><button id=behind>Behind</button><i></i></div> <p id=said>silent</p>
		<details><summary>Details</summary><p id=folded>unfolded</p></details>
		<p id=live role=status>waiting</p><a href="/file">Configuration file</a><a href="/moved">Elsewhere</a>`,
	"/add": `<h1>Add a phone</h1><form method=post action="/add"><label for=name>Name</label> <input id=name name=name autofocus>
		<label>Note <input name=note value="old"></label> <label><input type=checkbox name=all class=gone> Everything</label>
		<label>Kind <select name=kind><option>iPhone<option>Android</select></label> <button>Show QR code</button></form>`,
	"/faults":  `<h1>Faults</h1><p id=pale>hardly to be read</p><img src="/app.css">`,
	"/inline":  `<h1>Inline</h1><script>document.title = "never"</script><p style="color: red">red</p>`,
	"/console": `<h1>Console</h1><script src="/loud.js"></script>`,
	"/wide":    `<h1>Wide</h1><p id=wide>wide</p>`,
	"/code":    `<h1>Code</h1>` + code(secret),
}

const head = `<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content="width=device-width">
	<title>Little site</title><link rel=stylesheet href="/app.css"><link rel=icon href="/app.svg"></head><body><main>`

const style = `body { font-family: system-ui; color-scheme: light dark; margin: 1rem }
	@media (prefers-color-scheme: dark) { body { background: #111; color: #eee } }
	#wall { position: relative } #wall i { position: absolute; inset: 0 } #pale { color: #ddd; background: #fff }
	.gone { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) } #wide { width: 700px }
	svg { width: 264px; height: 264px } @keyframes turn { to { rotate: 1turn } } h1 { animation: turn 1s infinite }`

const script = `document.getElementById("script").textContent = "a script has run";
	document.getElementById("here").addEventListener("click", () => { document.getElementById("said").textContent = "said" });
	const events = new EventSource("/events");
	events.onmessage = (e) => { document.getElementById("live").textContent = e.data };
	addEventListener("pagehide", () => events.close());`

// A site is the little site, and a way to make its live line change.
type site struct {
	*httptest.Server
	events chan string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{events: make(chan string)}
	mux := http.NewServeMux()
	for path, body := range pages {
		pattern := "GET " + path
		if path == "/" {
			pattern += "{$}"
		}
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", policy)
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes", HttpOnly: true, SameSite: http.SameSiteStrictMode})
			cookie := cmp.Or(r.Header.Get("Cookie"), "none")
			fmt.Fprintf(w, "%s%s<p id=request>%s; %s; cookie %s</p></main>", head, body, r.UserAgent(), r.Header.Get("Accept-Language"), cookie)
			if path == "/" {
				fmt.Fprint(w, `<script src="/app.js"></script>`)
			}
		})
	}
	mux.HandleFunc("POST /add", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(50 * time.Millisecond) // a server that thinks, so that the old page is still there for a while
		fmt.Fprintf(w, "%s<h1>Added %s</h1><p id=form>%s, %s, %s, %s</p>", head, r.FormValue("name"),
			r.FormValue("name"), r.FormValue("note"), r.FormValue("all"), r.FormValue("kind"))
	})
	mux.Handle("GET /moved", http.RedirectHandler("/add", http.StatusSeeOther))
	mux.HandleFunc("GET /file", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Disposition", `attachment; filename="home.conf"`)
		fmt.Fprint(w, secret)
	})
	for path, file := range map[string][2]string{
		"/app.css": {"text/css", style}, "/app.js": {"text/javascript", script},
		"/loud.js": {"text/javascript", `console.error("loud", 7); console.log("not this"); throw new Error("thrown")`},
		"/app.svg": {"image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"/>`},
	} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", file[0])
			fmt.Fprint(w, file[1])
		})
	}
	mux.HandleFunc("GET /events", s.stream)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		s.CloseClientConnections() // a stream never ends by itself
		s.Close()
	})
	return s
}

func (s *site) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	_ = http.NewResponseController(w).Flush()
	for {
		select {
		case said := <-s.events:
			fmt.Fprintf(w, "data: %s\n\n", said)
			_ = http.NewResponseController(w).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

// code draws a QR code as the product does: an inline SVG without style.
func code(text string) string {
	matrix, err := qrcode.NewQRCodeWriter().Encode(text, gozxing.BarcodeFormat_QR_CODE, 0, 0, nil)
	if err != nil {
		panic(err)
	}
	var path strings.Builder
	for y := range matrix.GetHeight() {
		for x := range matrix.GetWidth() {
			if matrix.Get(x, y) {
				fmt.Fprintf(&path, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	return fmt.Sprintf(`<svg role=img aria-label="QR code" viewBox="0 0 %d %d"><path fill=#fff d="M0 0h999v999H0z"/><path fill=#000 d="%s"/></svg>`,
		matrix.GetWidth(), matrix.GetHeight(), path.String())
}
