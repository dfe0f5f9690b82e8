package e2e

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/homeassistant/standin"
)

// totp is what an authenticator app shows for a key at a time (RFC 6238).
func totp(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	raw, err := base32.StdEncoding.DecodeString(strings.ReplaceAll(secret, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, raw)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(at.Unix()/30)))
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1_000_000)
}

// freshStep waits until a step has begun that has time left for what follows, and gives that moment.
func freshStep() time.Time {
	for time.Now().Unix()%30 > 20 {
		time.Sleep(100 * time.Millisecond) // steps are real time
	}
	return time.Now()
}

// codeStep sends the passphrase and gives the browser's proof of it, with which it is asked for a code.
func (v *visitor) codeStep(t testing.TB) string {
	t.Helper()
	a := v.signIn(t, passphrase)
	found := regexp.MustCompile(`name="pending" value="([^"]+)"`).FindStringSubmatch(a.Body)
	if a.Status != http.StatusOK || found == nil || a.Header.Get("Set-Cookie") != "" {
		t.Fatalf("the first step: %d %v\n%s", a.Status, a.Header, a.Body)
	}
	return found[1]
}

func (v *visitor) code(t testing.TB, pending, code string) int {
	t.Helper()
	a := v.post(t, "/signin/code", url.Values{"pending": {pending}, "code": {code}})
	if (a.Status == http.StatusSeeOther) != (a.Header.Get("Set-Cookie") != "") {
		t.Errorf("code %q: %d with cookies %q", code, a.Status, a.Header["Set-Cookie"])
	}
	return a.Status
}

// twoStepHome is a home with two-step sign-in, its key and its recovery codes. The appliance takes the clock for synchronised.
func twoStepHome(t testing.TB) (h *home, owner *visitor, key string, recovery []string, at time.Time) {
	t.Helper()
	h = newHome(t)
	plain := h.binary
	h.synchronised(t)
	h.serveStandin(t, standin.Options{})
	h.args = append(h.args, "--home-assistant", h.homeAssistantURL(), "--endpoint", h.WAN4.String())
	h.start(t)
	h.binary = plain // for the next start
	owner = h.claim(t)
	a := owner.post(t, "/settings/two-step/start", nil)
	found := regexp.MustCompile(`<textarea[^>]*id="key"[^>]*>([A-Z2-7 ]+)<`).FindStringSubmatch(a.Body)
	if found == nil {
		t.Fatalf("no key: %d\n%s", a.Status, a.Body)
	}
	key, at = found[1], freshStep()
	a = owner.post(t, "/settings/two-step/confirm", url.Values{"code": {totp(t, key, at)}})
	for _, one := range regexp.MustCompile(`<li><code>([0-9a-z-]+)</code>`).FindAllStringSubmatch(a.Body, -1) {
		recovery = append(recovery, one[1])
	}
	if len(recovery) != 10 {
		t.Fatalf("turning two-step sign-in on: %d\n%s", a.Status, a.Body)
	}
	return h, owner, key, recovery, at
}

// TestAttackTOTPReplay: a code that has let somebody in, or has turned two-step sign-in on, lets nobody in again, nor does one that is
// older; a recovery code works once; the passphrase alone opens nothing; and guesses of codes are held up.
func TestAttackTOTPReplay(t *testing.T) {
	t.Parallel()
	h, _, key, recovery, at := twoStepHome(t)
	on := h.AddDevice(t, "other")
	first := h.visitor(on)
	pending := first.codeStep(t)
	if first.isSignedIn(t) {
		t.Fatal("the passphrase alone lets in")
	}
	for what, code := range map[string]string{
		"the code that turned it on": totp(t, key, at), "the code before": totp(t, key, at.Add(-30*time.Second)), "nothing": "",
	} {
		if status := first.code(t, pending, code); status != http.StatusForbidden {
			t.Errorf("%s: %d", what, status)
		}
	}
	next := totp(t, key, at.Add(30*time.Second)) // of a phone whose clock is a little ahead
	if status := first.code(t, pending, next); status != http.StatusSeeOther || !first.isSignedIn(t) {
		t.Fatalf("a good code: %d", status)
	}
	thief := h.visitor(h.AddDevice(t, "thief"))
	stolen := thief.codeStep(t)
	for _, proof := range []string{stolen, pending} {
		if status := thief.code(t, proof, next); status != http.StatusForbidden || thief.isSignedIn(t) {
			t.Errorf("a code for the second time: %d", status)
		}
	}
	for _, forged := range []string{"", "x", stolen[:len(stolen)-2] + "AA", strings.Repeat("A", len(stolen)), stolen + "AA"} {
		if status := thief.code(t, forged, recovery[9]); status != http.StatusForbidden {
			t.Errorf("a proof of the passphrase that is none: %d", status)
		}
	}
	count := make(map[int]int)
	for i := range 30 {
		thief.header = spoofed(i)
		count[thief.code(t, stolen, fmt.Sprintf("%06d", i*31337%1_000_000))]++
	}
	if count[http.StatusForbidden] > 8 || count[http.StatusTooManyRequests] < 20 {
		t.Errorf("guesses of codes: %v", count)
	}
	wantRecoveryOnce(t, h, recovery[:2])
}

// wantRecoveryOnce uses recovery codes, each twice.
func wantRecoveryOnce(t testing.TB, h *home, codes []string) {
	t.Helper()
	for i, code := range codes {
		v := h.visitor(h.AddDevice(t, fmt.Sprintf("recovery%d", i)))
		if status := v.code(t, v.codeStep(t), strings.ToUpper(strings.ReplaceAll(code, "-", " "))); status != http.StatusSeeOther || !v.isSignedIn(t) {
			t.Errorf("a recovery code: %d", status)
		}
		again := h.visitor(h.Neighbour)
		if status := again.code(t, again.codeStep(t), code); status != http.StatusForbidden || again.isSignedIn(t) {
			t.Errorf("a recovery code for the second time: %d", status)
		}
	}
}

// TestAttackTOTPWithAWrongClock: where nobody vouches for the clock no TOTP code is taken, not even the right one, since whoever sets the
// clock back would make old codes good again; a recovery code is.
func TestAttackTOTPWithAWrongClock(t *testing.T) {
	t.Parallel()
	h, owner, key, recovery, at := twoStepHome(t)
	h.daemon.Stop(t)
	h.start(t) // without the filter
	if strings.Contains(string(h.get(t, "/api/v1/status")), `"clock_synchronised":true`) {
		t.Skip("this machine's clock is synchronised")
	}
	v := h.visitor(h.Neighbour)
	pending := v.codeStep(t)
	if status := v.code(t, pending, totp(t, key, at.Add(30*time.Second))); status != http.StatusForbidden || v.isSignedIn(t) {
		t.Errorf("a right code while the clock is not synchronised: %d", status)
	}
	if status := v.code(t, pending, recovery[0]); status != http.StatusSeeOther {
		t.Errorf("a recovery code: %d", status)
	}
	if a := owner.post(t, "/settings/two-step/off", nil); a.Status != http.StatusForbidden || !strings.Contains(a.Body, "confirm_passphrase") {
		t.Errorf("turning it off without the passphrase: %d", a.Status)
	}
}
