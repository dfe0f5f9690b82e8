package api

import (
	"bytes"
	"image"
	"image/color"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/hearthgate/hearthgate/webui/metrics"
)

func TestAChangeIsRefusedWhenThePeerHasChangedMeanwhile(t *testing.T) {
	h := newHouse(t)
	one := "/api/v1/peers/" + h.add(t, `{"name": "Anna"}`).Peer.ID
	seen := h.ask("GET", one, "").Header().Get("ETag")
	if again := h.ask("GET", one, "").Header().Get("ETag"); seen == "" || again != seen {
		t.Fatalf("%q, then %q", seen, again)
	}
	changed := h.ask("PATCH", one, `{"name": "Anna's phone"}`, "If-Match", `"other", `+seen)
	if changed.Code != http.StatusOK || changed.Header().Get("ETag") == seen {
		t.Fatalf("%d, %s", changed.Code, changed.Header())
	}
	for method, body := range map[string]string{"PATCH": `{"disabled": true}`, "DELETE": ""} {
		if w := h.ask(method, one, body, "If-Match", seen); w.Code != http.StatusPreconditionFailed {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
	}
	if w := h.ask("POST", one+"/rekey", `{}`, "If-Match", seen); w.Code != http.StatusPreconditionFailed {
		t.Errorf("rekey: %d %s", w.Code, w.Body)
	}
	if w := h.ask("DELETE", one, "", "If-Match", "*"); w.Code != http.StatusNoContent {
		t.Errorf("any version: %d %s", w.Code, w.Body)
	}
}

// TestWhatIsSeenOfAPeerIsNoChange: else a phone that talks could never be changed.
func TestWhatIsSeenOfAPeerIsNoChange(t *testing.T) {
	h := newHouse(t)
	anna := h.add(t, `{"name": "Anna"}`).Peer
	before := h.ask("GET", "/api/v1/peers/"+anna.ID, "").Header().Get("ETag")
	h.live[anna.ID] = Live{Active: true, LastHandshake: time.Now(), ReceivedBytes: 9, Endpoint: "192.0.2.1:5"}
	if after := h.ask("GET", "/api/v1/peers/"+anna.ID, "").Header().Get("ETag"); after != before {
		t.Errorf("%s, then %s", before, after)
	}
}

func TestAConfigIsForTheSessionThatMadeIt(t *testing.T) {
	h := newHouse(t)
	anna := h.add(t, `{"name": "Anna"}`)
	h.open["mine "+anna.Peer.ID] = anna.Config
	for _, path := range []string{"/config", "/qr.svg"} {
		path = "/api/v1/peers/" + anna.Peer.ID + path
		for name, c := range map[string]struct {
			by     Caller
			status int
		}{
			"the session":     {SessionCaller("mine", true), http.StatusOK},
			"it, not fresh":   {SessionCaller("mine", false), http.StatusForbidden},
			"another session": {SessionCaller("other", true), http.StatusNotFound},
			"a token":         {Caller{TokenID: "mine", Read: true, Manage: true}, http.StatusNotFound},
			"the owner":       {Caller{Owner: true}, http.StatusNotFound},
		} {
			w := h.askAs(c.by, "GET", path, "")
			if w.Code != c.status || w.Header().Get("Cache-Control") != "no-store" {
				t.Errorf("%s, %s: %d %s", name, path, w.Code, w.Body)
			}
		}
	}
	w := h.askAs(SessionCaller("mine", true), "GET", "/api/v1/peers/"+anna.Peer.ID+"/config", "")
	if w.Body.String() != anna.Config || !strings.Contains(w.Header().Get("Content-Disposition"), `"anna.conf"`) {
		t.Errorf("%s\n%s", w.Header(), w.Body)
	}
}

var run = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1`)

// TestTheCodeReadsAsTheConfig draws the SVG's runs and has an independent reader look at them.
func TestTheCodeReadsAsTheConfig(t *testing.T) {
	h := newHouse(t)
	anna := h.add(t, `{"name": "Anna"}`)
	h.open["mine "+anna.Peer.ID] = anna.Config
	svg := h.askAs(SessionCaller("mine", true), "GET", "/api/v1/peers/"+anna.Peer.ID+"/qr.svg", "").Body.String()
	if strings.Contains(svg, "style") || strings.Contains(svg, "script") {
		t.Errorf("not for the page's policy: %.200s", svg)
	}
	const scale = 4
	img := image.NewGray(image.Rect(0, 0, 100*scale, 100*scale))
	for i := range img.Pix {
		img.Pix[i] = 0xff
	}
	for _, m := range run.FindAllStringSubmatch(svg, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		n, _ := strconv.Atoi(m[3])
		for dx := range n * scale {
			for dy := range scale {
				img.SetGray(x*scale+dx, y*scale+dy, color.Gray{})
			}
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	pure := map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true}
	if got, err := qrcode.NewQRCodeReader().Decode(bitmap, pure); err != nil || got.GetText() != anna.Config {
		t.Errorf("%v: %v", err, got)
	}
}

func TestALinkIsMadeForAPeerThatIsThere(t *testing.T) {
	h := newHouse(t)
	anna := h.add(t, `{"name": "Anna"}`).Peer
	if got := answer[Link](h, "POST", "/api/v1/peers/"+anna.ID+"/link", ""); !strings.HasSuffix(got.URL, anna.ID) {
		t.Errorf("%+v", got)
	}
	if w := h.ask("POST", "/api/v1/peers/nobody/link", ""); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestUsage(t *testing.T) {
	h := newHouse(t)
	anna := h.add(t, `{"name": "Anna"}`).Peer
	var got []UsageDay
	h.get("/api/v1/peers/"+anna.ID+"/usage", &got)
	if len(got) != 1 || got[0] != (UsageDay{"2026-05-01", 3, 4}) {
		t.Errorf("%+v", got)
	}
}

func TestTheEndpointIsSetAndTakenAway(t *testing.T) {
	h := newHouse(t)
	for _, c := range []struct {
		body, want string
		status     int
	}{
		{`{"endpoint": "home.example.org"}`, "home.example.org", http.StatusOK},
		{`{"endpoint": "two words"}`, "home.example.org", http.StatusBadRequest},
		{`{}`, "home.example.org", http.StatusBadRequest},
		{`{"endpoint": null}`, "home.example.org", http.StatusBadRequest},
		{`{"endpoint": ""}`, "", http.StatusOK},
	} {
		if w := h.ask("PUT", "/api/v1/settings", c.body); w.Code != c.status || h.setting != c.want {
			t.Errorf("%s: %d, %q", c.body, w.Code, h.setting)
		}
	}
}

func TestTheSetupCodeIsForTheOwnerOfAnUnclaimedAppliance(t *testing.T) {
	h := newHouse(t)
	reads := Caller{TokenID: "t", Read: true}
	for _, c := range []struct {
		by      Caller
		claimed bool
		want    bool
	}{{Caller{Owner: true}, false, true}, {Caller{Owner: true}, true, false}, {reads, false, false}, {SessionCaller("s", true), false, false}} {
		h.page.Claimed = c.claimed
		body := h.askAs(c.by, "GET", "/api/v1/status", "").Body.String()
		if got := strings.Contains(body, "123456"); got != c.want {
			t.Errorf("%+v, claimed %v: shown %v", c.by, c.claimed, got)
		}
		if got := strings.Contains(body, "/state") || strings.Contains(body, "uapi.sock"); got != c.by.Owner {
			t.Errorf("%+v: paths shown %v", c.by, got)
		}
	}
}

func TestMetricsTellOfEveryPhone(t *testing.T) {
	h := newHouse(t)
	anna := h.add(t, `{"name": "Anna \"A\""}`).Peer
	h.live[anna.ID] = Live{ReceivedBytes: 7, SentBytes: 8, Endpoint: "192.0.2.77:5555"}
	h.ask("PATCH", "/api/v1/peers/"+h.add(t, `{"name": "Ben"}`).Peer.ID, `{"disabled": true}`)
	h.cfg.LoginFailures = func() uint64 { return 3 }
	w := h.askAs(Caller{TokenID: "t", Metrics: true}, "GET", "/metrics", "")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != metrics.ContentType {
		t.Fatalf("%d %s", w.Code, w.Header())
	}
	text := w.Body.String()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	got, err := parser.TextToMetricFamilies(bytes.NewBufferString(text))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(got["wireguard_received_bytes_total"].GetMetric()); n != 2 {
		t.Errorf("%d phones", n)
	}
	for _, want := range []string{
		"hearthgate_login_failures_total 3\n", `friendly_name="Anna \"A\""} 7` + "\n", anna.IPv4 + "/32," + anna.IPv6 + "/128",
		`hearthgate_peer_paused{friendly_name="Ben"`, `hearthgate_exposure_state{port="8123",family="ipv6"} 2`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "192.0.2.77") {
		t.Error("where a phone comes from is told")
	}
}
