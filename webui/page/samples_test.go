package page

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/words"
)

var (
	now     = time.Date(2026, time.May, 14, 14, 10, 0, 0, time.UTC)
	earlier = now.Add(-4 * time.Minute)
)

// hostile are names that somebody may give to a phone, and what must not come of them.
var hostile = []string{
	`<script>alert(1)</script>`,
	`" onmouseover="alert(1)`,
	`'><img src=x onerror=alert(1)>`,
	`{{.T "home.title"}} {name}`,
	`</title><svg onload=alert(1)>`,
	`javascript:alert(1)`,
	"📱 Öma’s téléphone 👵🏽",
	"الهاتف الخاص بأمي",
	strings.Repeat("W", 64),
	"Donaudampfschifffahrtsgesellschaftskapitänshandy von Großmutter",
}

// sample is a page as somebody could see it.
type sample struct {
	name  string
	frame Frame
	model Model
}

func signedIn(path string) Frame {
	return Frame{
		Language: words.English, Theme: "auto", Path: path, SignedIn: true, Version: "0.3.0", Reset: "hearthgate reset-passphrase", Now: now,
		Events: "/api/v1/events", Types: []string{"peer.first_handshake", "peer.connected"},
	}
}

func stranger(path string) Frame {
	return Frame{Language: words.English, Theme: "auto", Path: path, Version: "0.3.0", Reset: "hearthgate reset-passphrase", Now: now}
}

// codes remembers codes: making one takes longer than rendering its page.
var codes sync.Map

func code(t testing.TB, text string) [][]bool {
	t.Helper()
	if m, ok := codes.Load(text); ok {
		return m.([][]bool)
	}
	m, err := peers.QRMatrix(text)
	if err != nil {
		t.Fatal(err)
	}
	codes.Store(text, m)
	return m
}

func days(n int) []Day {
	out := make([]Day, n)
	for i := range out {
		out[i] = Day{Date: now.AddDate(0, 0, i-n+1), Received: int64(i*i%17) * 1_300_000, Sent: int64(i*7%23) * 9_100_000}
		if i%9 == 4 {
			out[i] = Day{Date: out[i].Date}
		}
	}
	return out
}

var household = []PhoneRow{
	{ID: "p1", Name: "Anna’s phone", State: "active", SeenAt: earlier},
	{ID: "p2", Name: "Ben’s phone", State: "idle", SeenAt: now.Add(-2 * time.Hour)},
	{ID: "p3", Name: "Grandma’s phone", State: "waiting", HasCode: true},
	{ID: "p4", Name: "Babysitter", State: "expired", SeenAt: now.AddDate(0, 0, -12)},
	{ID: "p5", Name: "Old tablet in the kitchen", State: "disabled", SeenAt: now.AddDate(0, -3, 0)},
	{ID: "p6", Name: "Chris’ phone", State: "needs_enrolment", SeenAt: now.AddDate(0, 0, -1)},
}

func badNames() []PhoneRow {
	var out []PhoneRow
	for i, name := range hostile {
		out = append(out, PhoneRow{ID: fmt.Sprintf("h%d", i), Name: name, State: "waiting", HasCode: true})
	}
	return out
}

var choices = []ServiceChoice{
	{Name: "home-assistant", Target: "http://127.0.0.1:8123", Builtin: true, Chosen: true},
	{Name: "camera", Target: "192.168.1.20:8080"},
	{Name: "admin", Builtin: true},
}

const configText = "[Interface]\nPrivateKey=4Hc3NmBWnUyKcYlqLY2bXqD5zC0rC0sQ3oQeVn0pGk0=\nAddress=10.77.0.2/32,fd12:3456:789a::2/128\n[Peer]\n" +
	"PublicKey=lW7Xo6xHqf0S8n1Jt3Jd7m8Qm4c1bq0oB0sQ1nqV5g4=\nPresharedKey=bB3wq6xHqf0S8n1Jt3Jd7m8Qm4c1bq0oB0sQ1nqV5g4=\nEndpoint=home.example.org:51820\nAllowedIPs=10.77.0.1/32,fd12:3456:789a::1/128\n"

const inside = "http://10.77.0.1:8123"

func samples(t testing.TB) []sample {
	qr, invite := code(t, configText), code(t, InviteLink(inside))
	closed := Exposure{Report: closedReport(), Port: 8123, Check: true}
	open := Exposure{Report: openReport(), Port: 8123, Check: true}
	ready := Remote{State: "ready", Endpoint: "home.example.org:51820"}
	found := HomeAssistant{Phase: "found", Target: "http://192.168.1.5:8123"}
	home := func(e Exposure, r Remote, ha HomeAssistant, list []PhoneRow) Home {
		return Home{Exposure: e, Remote: r, HomeAssistant: ha, Phones: list, Total: len(list), Active: 1, PageNumber: 1, Pages: 1}
	}
	scan := Scan{
		ID: "p1", Name: "Anna’s phone", Code: qr, Until: now.Add(10 * time.Minute), FileName: "home", App: "iphone",
		State: "waiting", URL: inside, Endpoint: "home.example.org:51820",
	}
	with := func(change func(*Scan)) Scan { s := scan; change(&s); return s }
	phone := Phone{
		ID: "p1", Name: "Anna’s phone", State: "active", CreatedAt: now.AddDate(0, -2, 0), SeenAt: earlier, Via: "away",
		Services: choices, Days: days(30), PublicKey: "lW7Xo6xHqf0S8n1Jt3Jd7m8Qm4c1bq0oB0sQ1nqV5g4=", IPv4: "10.77.0.2", IPv6: "fd12:3456:789a::2",
		Endpoint: "198.51.100.23:41820",
	}
	phoneWith := func(change func(*Phone)) Phone { p := phone; change(&p); return p }
	services := []ServiceRow{
		{Name: "home-assistant", Target: "127.0.0.1:8123", Protocol: "tcp", State: "up", Port: 8123, Builtin: true, Phones: 5},
		{Name: "camera", Target: "192.168.1.20:8080", Protocol: "tcp", State: "down", Port: 8080, Phones: 1},
		{Name: "printer", Target: "192.168.1.21:9100", Protocol: "udp", State: "unknown", Port: 9100, Phones: 1},
		{Name: "admin", Builtin: true, Protocol: "tcp", State: "unknown", Port: 80},
	}
	events := []JournalRow{
		{At: now, Type: "peer.first_handshake", PeerName: "Anna’s phone"},
		{At: now, Type: "peer.changed", PeerName: "Anna’s phone", Data: map[string]string{"change": "services", "from": "", "to": "home-assistant admin"}},
		{At: now, Type: "peer.changed", PeerName: "Anna’s phone", Data: map[string]string{"change": "name", "from": "Anna", "to": hostile[0]}},
		{At: now, Type: "peer.added", PeerName: hostile[8]},
		{At: now, Type: "peer.added", PeerName: hostile[9]},
		{At: now.Add(-time.Hour), Type: "account.signin_refused", Data: map[string]string{"from": "192.168.1.33"}},
		{At: now.AddDate(0, 0, -1), Type: "home_assistant.warning", Data: map[string]string{"code": "trusted_networks"}},
		{At: now.AddDate(0, 0, -1), Type: "service.added", Data: map[string]string{"service": "camera"}},
		{At: now.AddDate(0, 0, -1), Type: "token.added", Message: "a token was added"},
		{At: now.AddDate(0, 0, -1), Type: "exposure.changed", Data: map[string]string{"verdict": "exposed", "reason": "mapped", "external": "8123", "internal": "192.168.1.5:8123"}},
		{At: now.AddDate(0, 0, -1), Type: "exposure.changed", Data: map[string]string{"verdict": "closed"}},
		{At: now.AddDate(0, 0, -1), Type: "exposure.changed", Data: map[string]string{"verdict": "unverified", "reason": "stale"}},
		{At: now.AddDate(0, 0, -1), Type: "exposure.reminder"},
		{At: now.AddDate(0, 0, -1), Type: "exposure.setup", Message: "it was changed"},
		{At: now.AddDate(0, 0, -1), Type: "mapping.deleted", Data: map[string]string{"external": "8123", "internal": "192.168.1.5:8123", "gone": "false"}},
		{At: now.AddDate(0, 0, -1), Type: "something.new", Message: "something <b>new</b> happened"},
	}
	agents := []SessionRow{
		{ID: "s1", From: "192.168.1.33", Agent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36", CreatedAt: now.AddDate(0, 0, -3), SeenAt: now, This: true},
		{ID: "s2", From: "192.168.1.40", Agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 20_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/20.0 Mobile/15E148 Safari/604.1", CreatedAt: now.AddDate(0, -1, 0), SeenAt: earlier},
		{ID: "s3", From: "fd00::1234:5678", Agent: hostile[0], CreatedAt: now, SeenAt: earlier},
	}
	in := func(name, path string, m Model) sample { return sample{name, signedIn(path), m} }
	out := func(name, path string, m Model) sample { return sample{name, stranger(path), m} }
	noticed := signedIn("/")
	noticed.Notices = []Notice{
		{Kind: "success", Key: NoticePhoneRemoved, Args: []any{"name", hostile[0]}},
		{Kind: "info", Key: NoticeCheckStarted},
		{Kind: "warning", Key: NoticeRecoveryLow, Args: []any{"count", 2}},
		{Kind: "error", Key: ProblemRefused},
	}
	return []sample{
		out("setup", "/setup", Setup{NeedsCode: true, Passphrase: "copper lantern orchard seven"}),
		out("setup-window", "/setup", Setup{Passphrase: "copper lantern orchard seven", Until: now.Add(12 * time.Minute)}),
		out("setup-short", "/setup", Setup{NeedsCode: true, Code: "123456", Passphrase: `"hello"`, Problem: ProblemTooShort}),
		out("setup-code-wrong", "/setup", Setup{NeedsCode: true, Code: "111111", Passphrase: "copper lantern orchard seven", Problem: ProblemSetupCode}),
		out("setup-wait", "/setup", Setup{NeedsCode: true, Passphrase: "copper lantern orchard seven", Wait: 40 * time.Second}),
		out("setup-shut", "/setup", SetupShut{}),
		out("already", "/setup", AlreadySetUp{At: earlier, From: "192.168.1.33"}),
		out("already-unknown", "/setup", AlreadySetUp{}),
		in("address-setup", "/setup/address", Address{Setup: true, Current: "192.168.1.5:51820", AtHomeOnly: true, ListenPort: 51820, LANAddress: "192.168.1.5"}),
		in("address", "/settings/address", Address{Value: "no such name", Problem: ProblemEndpoint, Current: "home.example.org:51820", ListenPort: 51820, LANAddress: "192.168.1.5"}),
		in("address-flag", "/settings/address", Address{Current: "home.example.org:51820", ByFlag: true, ListenPort: 51820}),
		out("signin", "/signin", SignIn{Next: "/phones/new?a=1&b=2", Keep: true}),
		out("signin-wrong", "/signin", SignIn{Problem: ProblemPassphrase}),
		out("signin-wait", "/signin", SignIn{Wait: 3 * time.Minute}),
		out("code", "/signin/code", SignInCode{Pending: "abc", Next: "/", Keep: true}),
		out("code-wrong", "/signin/code", SignInCode{Pending: "abc", Problem: ProblemCode}),
		out("code-recovery", "/signin/code", SignInCode{Pending: "abc", RecoveryOnly: true, Problem: ProblemRecovery}),
		in("confirm", "/phones/p1/remove", Confirm{Action: "/phones/p1/remove", Fields: []Field{{"name", hostile[1]}, {"service", "a"}, {"service", "b"}}, Cancel: "/phones/p1", Problem: ProblemPassphrase}),
		in("failure", "/nowhere", Failure{Status: 404, Key: FailureNotFound, Back: "/"}),
		out("failure-host", "/", Failure{Status: 421, Key: FailureWrongHost, Args: []any{"host", hostile[0]}, Links: []string{"http://192.168.1.5:51821/", "http://hearthgate.local:51821/", "javascript:alert(1)"}}),
		in("home", "/", home(closed, ready, found, household)),
		in("home-open", "/", home(open, ready, found, household[:2])),
		in("home-unverified", "/", home(Exposure{Report: neverReport(), Port: 8123, Check: true, Offer: true}, ready, found, household[:3])),
		in("home-empty", "/", Home{Remote: Remote{State: "no_endpoint"}, HomeAssistant: HomeAssistant{Phase: "searching"}, PageNumber: 1, Pages: 1, Exposure: Exposure{Check: true}}),
		in("home-choose", "/", home(Exposure{}, Remote{State: "at_home_only", Endpoint: "192.168.1.5:51820"}, HomeAssistant{Phase: "choose", Candidates: []Candidate{
			{Target: "http://127.0.0.1:8123", Name: "Home", ThisMachine: true}, {Target: "http://192.168.1.9:8123", Name: hostile[0]},
		}}, badNames())),
		in("home-changed", "/", home(Exposure{Report: ruledReport()}, ready, HomeAssistant{Phase: "changed", Candidates: []Candidate{{Target: "http://192.168.1.9:8123"}}}, household)),
		in("home-lost", "/", home(closed, ready, HomeAssistant{Phase: "lost", Target: "http://192.168.1.5:8123", Warnings: []string{"trusted_networks", "odd"}}, household)),
		in("home-unsure", "/", home(Exposure{Report: unsureReport(), Port: 8123, Check: true, Running: true}, ready, found, household[:1])),
		{"home-notices", noticed, Home{Exposure: closed, Remote: ready, HomeAssistant: found, Phones: household, Total: 240, Active: 12, PageNumber: 2, Pages: 3}},
		in("new", "/phones/new", PhoneNew{Services: choices}),
		in("new-taken", "/phones/new", PhoneNew{Name: hostile[1], Expires: "12h", Services: choices, Problem: ProblemNameTaken, ProblemArgs: []any{"name", hostile[1]}}),
		in("new-no-endpoint", "/phones/new", PhoneNew{Name: "Anna’s phone", Services: choices, Problem: ProblemNoEndpoint}),
		in("new-no-choice", "/phones/new", PhoneNew{Name: "Anna’s phone", Services: choices[1:], Problem: ProblemNoChoice}),
		in("scan", "/phones/p1/scan", scan),
		in("scan-android", "/phones/p1/scan", with(func(s *Scan) { s.App = "android"; s.Name = hostile[7] })),
		in("scan-late", "/phones/p1/scan", with(func(s *Scan) { s.State, s.AtHomeOnly, s.Disabled, s.NoHomeAssistant = "late", true, true, true })),
		in("scan-on-phone", "/phones/p1/scan", with(func(s *Scan) { s.OnPhone, s.App = true, "android" })),
		in("scan-gone", "/phones/p1/scan", with(func(s *Scan) { s.Code = nil })),
		in("scan-connected", "/phones/p1/scan", with(func(s *Scan) { s.Code, s.State, s.Via, s.At, s.InviteCode = nil, "connected", "away", earlier, invite })),
		in("scan-connected-home", "/phones/p1/scan", with(func(s *Scan) {
			s.Code, s.State, s.Via, s.At, s.App, s.OnPhone = nil, "connected", "home", earlier, "android", true
			s.Warnings, s.Admin, s.AdminURL = []string{"not_onboarded"}, true, "http://10.77.15.254/"
		})),
		in("scan-hostile", "/phones/p1/scan", with(func(s *Scan) { s.Name, s.FileName, s.State, s.At = hostile[0], "home", "waiting", earlier })),
		in("link", "/phones/p1/link", LinkMade{ID: "p1", Name: "Anna’s phone", URL: "http://192.168.1.5:51821/l/Y0x1YmhQZlRaS1d2Q0J3Nw", Until: now.Add(15 * time.Minute), State: "waiting"}),
		out("link-open", "/l/abc", LinkOpen{Name: hostile[6], Action: "/l/abc"}),
		out("link-spent", "/l/abc", LinkSpent{Name: "Anna’s phone", FileName: "home", ConfPath: "/l/abc/conf", Code: qr, App: "iphone", OnPhone: true, Until: now.Add(10 * time.Minute), URL: inside, AtHomeOnly: true}),
		out("link-spent-desktop", "/l/abc", LinkSpent{Name: "Anna’s phone", FileName: "home", ConfPath: "/l/abc/conf", Code: qr, App: "android", Until: now.Add(10 * time.Minute), URL: inside}),
		out("link-gone", "/l/abc", LinkGone{}),
		in("phone", "/phones/p1", phone),
		in("phone-paused", "/phones/p1", phoneWith(func(p *Phone) {
			p.State, p.Name, p.Problem, p.ProblemForm, p.Typed, p.ProblemArgs = "disabled", hostile[9], ProblemNameTaken, "rename", hostile[1], []any{"name", hostile[1]}
			p.RetiresAt, p.ExpiresAt, p.NeedsCodeForAdmin, p.HasCode = now.Add(time.Hour), now.AddDate(0, 0, 3), true, true
		})),
		in("phone-new", "/phones/p1", phoneWith(func(p *Phone) {
			p.State, p.SeenAt, p.Days, p.Via = "needs_enrolment", time.Time{}, days(30)[:1], "home"
		})),
		in("phone-quiet", "/phones/p1", phoneWith(func(p *Phone) {
			p.State, p.SeenAt, p.Days, p.Via, p.Problem, p.ProblemForm = "idle", now.AddDate(0, -3, 0), []Day{{Date: now}}, "", ProblemNoChoice, "services"
		})),
		in("phone-expired", "/phones/p1", phoneWith(func(p *Phone) {
			p.State, p.ExpiresAt, p.Problem, p.ProblemForm, p.Typed = "expired", earlier, ProblemExpiryPast, "expiry", "yesterday"
		})),
		in("phone-remove", "/phones/p1/remove", PhoneRemove{ID: "p1", Name: hostile[2]}),
		in("settings", "/settings", Settings{TwoStep: true, RecoveryLeft: 9, Watch: true, Sessions: 3, Tokens: 1, Services: 3, Endpoint: "home.example.org:51820", Theme: "auto", ClockSynchronised: true, StateDir: "/var/lib/hearthgate"}),
		in("settings-watched", "/settings", Settings{Sessions: 1, Watch: true, Watching: 2}),
		in("settings-fresh", "/settings", Settings{Sessions: 1, Theme: "dark"}),
		in("passphrase", "/settings/passphrase", Passphrase{Suggested: "copper lantern orchard seven", Problem: ProblemProduct}),
		in("twostep-off", "/settings/two-step", TwoStep{ClockWrong: true}),
		in("twostep-start", "/settings/two-step/start", TwoStep{Key: "JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP", Code: code(t, "otpauth://totp/Hearthgate?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"), Problem: ProblemCode}),
		in("twostep-on", "/settings/two-step", TwoStep{On: true, Since: now.AddDate(0, -1, 0), RecoveryLeft: 1}),
		in("twostep-codes", "/settings/two-step/confirm", TwoStep{On: true, Recovery: []string{"abcd-efgh-ijkl-mnop", "qrst-uvwx-yz23-4567", "bcde-fghi-jklm-nopq", "cdef-ghij-klmn-opqr", "defg-hijk-lmno-pqrs", "efgh-ijkl-mnop-qrst", "fghi-jklm-nopq-rstu", "ghij-klmn-opqr-stuv", "hijk-lmno-pqrs-tuvw", "ijkl-mnop-qrst-uvwx"}}),
		in("sessions", "/settings/sessions", Sessions{List: agents}),
		in("tokens", "/settings/tokens", Tokens{List: []TokenRow{{ID: "t1", Name: "Home Assistant", Scopes: []string{"read", "manage"}, CreatedAt: now.AddDate(0, -1, 0), LastUsed: earlier}, {ID: "t2", Name: hostile[0], Scopes: []string{"metrics"}, CreatedAt: now}}, Problem: ProblemTokenName}),
		in("token-made", "/settings/tokens", Tokens{Secret: "hg_mN3v8Qm4c1bq0oB0sQ1nqV5g4lW7Xo6xHqf0S8n1Jt3", Made: "Home Assistant"}),
		in("services", "/settings/services", Services{List: services, Name: "Käse", Target: "192.168.1.20:8080", Port: "99999", Protocol: "udp", Problem: ProblemServicePort}),
		in("service-remove", "/settings/services/camera/remove", ServiceRemove{Name: "camera", Phones: 2}),
		in("appearance", "/settings/appearance", Appearance{Theme: "dark", Language: "de"}),
		in("stolen", "/settings/stolen", Stolen{Tokens: 2, Problem: ProblemSure}),
		in("stolen-done", "/settings/stolen", Stolen{Done: true, Phones: household[:3], Tokens: 2, HomeToken: true, Watch: true}),
		in("check", "/check", checked(closedReport())),
		in("check-open", "/check", checked(openReport())),
		in("check-unsure", "/check", checked(unsureReport())),
		in("check-running", "/check", running()),
		in("check-empty", "/check", Check{Exposure: Exposure{Report: neverReport(), Whole: true, Check: true, Offer: true}}),
		in("check-none", "/check", Check{Exposure: Exposure{Whole: true}}),
		in("mapping-delete", "/check/mapping", MappingDelete{Mapping: mappings[0]}),
		in("mapping-delete-ours", "/check/mapping", MappingDelete{Mapping: mappings[1], Problem: ProblemMapping}),
		in("mapping-delete-other", "/check/mapping", MappingDelete{Mapping: mappings[2]}),
		in("watch-empty", "/settings/watch", Watch{}),
		in("watch", "/settings/watch", watching),
		in("watch-full", "/settings/watch", watchingWith(func(w *Watch) {
			w.Witnesses, w.Full, w.Lone, w.Canary = []string{"a", "b", hostile[7], hostile[9]}, true, false, true
			w.Webhook.Wrong, w.Home.Wrong = true, true
		})),
		in("watch-too-many", "/settings/watch", Watch{Witnesses: []string{"a"}, Full: true, Problem: ProblemWitnesses, ProblemForm: "invite"}),
		in("watch-invite", "/settings/watch", Watch{Problem: ProblemInvite, ProblemForm: "invite"}),
		in("watch-token", "/settings/watch", Watch{Problem: ProblemHomeToken, ProblemForm: "token"}),
		in("watch-webhook", "/settings/watch", Watch{Problem: ProblemWebhook, ProblemForm: "webhook"}),
		in("watch-mqtt", "/settings/watch", Watch{Problem: ProblemMQTT, ProblemForm: "mqtt"}),
		in("watch-names", "/settings/watch", Watch{Problem: ProblemNames, ProblemForm: "names", Typed: hostile[1]}),
		in("watch-notify", "/settings/watch", Watch{Problem: ProblemNeedsToken, ProblemForm: "notify"}),
		in("journal", "/journal", Journal{Events: events, Kind: "peer", Kinds: []string{"peer", "home_assistant", "service", "server", "account", "odd"}, Phone: "p1", Phones: badNames(), Older: 17}),
		in("journal-empty", "/journal", Journal{Kinds: []string{"peer"}, Phone: `"><script>`}),
		out("portal", "/", Portal{Check: true, Worker: "/check/unasked.js", Name: "Anna’s phone", State: "active", URL: inside, HomeUp: true, Days: days(30), Services: services[1:3], ServerAddr: "10.77.0.1", News: []News{{Name: "Ben’s phone", At: earlier}}}),
		out("portal-down", "/", Portal{Name: hostile[0], URL: "javascript:alert(1)", Days: days(30), ExpiresAt: now.AddDate(0, 0, 3), News: []News{{Name: hostile[7], At: earlier}}, AdminURL: "http://10.77.15.254/"}),
		out("portal-none", "/", Portal{Name: "Anna’s phone"}),
		out("phone-check", "/check", PhoneCheck{Task: `{"Nonce":"x","Runs":2,"Tries":[]}`}),
		out("phone-check-not-away", "/check", PhoneCheck{Outcome: "not_away"}),
		out("phone-check-exposed", "/check", PhoneCheck{Outcome: "exposed"}),
	}
}
