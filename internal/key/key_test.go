package key

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
)

func TestPublicRoundTrip(t *testing.T) {
	private, err := NewPrivate()
	if err != nil {
		t.Fatal(err)
	}
	public, err := private.Public()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParsePublic(public.String())
	if err != nil || again != public {
		t.Errorf("parsed %v, %v; want %v", again, err, public)
	}
	if !strings.HasPrefix(public.String(), public.Short()) || len(public.Short()) != 8 {
		t.Errorf("short form %q of %q", public.Short(), public)
	}
	var back struct{ Set, None Public }
	back.None = public
	text, err := json.Marshal(struct{ Set, None Public }{Set: public})
	if err != nil || string(text) != `{"Set":"`+public.String()+`","None":""}` {
		t.Fatalf("JSON %s, %v", text, err)
	}
	if err := json.Unmarshal(text, &back); err != nil || back.Set != public || !back.None.IsZero() {
		t.Errorf("back from JSON: %v, %v", back, err)
	}
}

func TestParsePublicRefuses(t *testing.T) {
	good := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
	// The order-8 point of RFC 7748's curve as everybody lists it (https://cr.yp.to/ecdh.html, "validate").
	low, err := hex.DecodeString("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ in, want string }{
		"nothing":            {"", "expected 44 characters"},
		"short":              {good[:43], "expected 44 characters"},
		"long":               {good + "=", "expected 44 characters"},
		"very long":          {strings.Repeat("A", 5000), "expected 44 characters"},
		"space around":       {" " + good, "expected 44 characters"},
		"no base64":          {strings.Repeat("!", 43) + "=", "expected 44 characters of base64"},
		"URL alphabet":       {strings.Repeat("_", 43) + "=", "expected 44 characters of base64"},
		"line break":         {good[:20] + "\n" + good[21:], "expected 44 characters of base64"},
		"33 bytes":           {strings.Repeat("A", 44), "expected 44 characters of base64"},
		"loose last bits":    {good[:42] + "t=", "expected 44 characters of base64"},
		"all zero":           {strings.Repeat("A", 43) + "=", "empty key"},
		"point that is none": {base64.StdEncoding.EncodeToString(low), "nobody can hold"},
	} {
		_, err := ParsePublic(c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%s: got %v", name, err)
			continue
		}
		if len(err.Error()) > 300 {
			t.Errorf("%s: the error has %d characters", name, len(err.Error()))
		}
		if len(c.in) > 0 && len(c.in) < 60 && !strings.ContainsAny(c.in, "\n") && !strings.Contains(err.Error(), c.in) {
			t.Errorf("%s: the error does not quote the input: %v", name, err)
		}
	}
	if _, err := ParsePublic(good); err != nil {
		t.Errorf("a good key: %v", err)
	}
}

func FuzzParsePublic(f *testing.F) {
	f.Add("")
	f.Add(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	f.Fuzz(func(t *testing.T, s string) {
		if p, err := ParsePublic(s); err == nil && p.String() != s {
			t.Errorf("%q reads as %q", s, p)
		}
		if k, err := ParseSecret(s); err == nil && k.Reveal() != s {
			t.Errorf("%q reads as another secret", s)
		}
	})
}
