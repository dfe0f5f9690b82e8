package key

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
)

func newSecret(t *testing.T) Secret {
	t.Helper()
	s, err := NewPrivate()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// knownSecret has bytes of which no two are the same and no two make a letter together, so that every way of writing them
// is known beforehand.
func knownSecret(t *testing.T) Secret {
	t.Helper()
	var raw [size]byte
	for i := range raw {
		raw[i] = byte(200 + i)
	}
	s, err := ParseSecret(base64.StdEncoding.EncodeToString(raw[:]))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// leaks says how much of a secret stands in a text, in any way of writing bytes that fmt has. Four bytes in a row are no
// accident.
func leaks(s Secret, text string) string {
	raw, err := base64.StdEncoding.DecodeString(s.Reveal())
	if err != nil {
		return err.Error()
	}
	ways := map[string]string{"base64": s.Reveal()[:8], "raw": string(raw[4:8]), "quoted": strings.Trim(fmt.Sprintf("%q", raw[4:8]), `"`)}
	ways["hex"] = hex.EncodeToString(raw[4:8])
	ways["HEX"] = strings.ToUpper(ways["hex"])
	for _, verb := range []string{"%d", "%x", "%X", "%02x", "%02X", "%#x", "%o", "%b", "%c", "%U", "%v", "%#v"} {
		for _, between := range []string{" ", ", "} {
			var parts []string
			for _, b := range raw[4:8] {
				parts = append(parts, fmt.Sprintf(verb, b))
			}
			ways[verb+between] = strings.Join(parts, between)
		}
	}
	for way, part := range ways {
		if strings.Contains(text, part) {
			return way
		}
	}
	return ""
}

// holders are places where a secret may stand when somebody prints them.
func holders(s Secret) map[string]any {
	type exported struct{ Key Secret }
	type unexported struct{ key Secret }
	type deep struct {
		a *unexported
		b []unexported
		c map[string]unexported
		d any
	}
	u := unexported{s}
	return map[string]any{
		"itself":       s,
		"pointer":      &s,
		"exported":     exported{s},
		"unexported":   u,
		"pointer to":   &u,
		"exported to":  &exported{s},
		"slice":        []Secret{s, s},
		"array":        [2]Secret{s, s},
		"pointers":     []*Secret{&s},
		"map value":    map[string]Secret{"k": s},
		"map key":      map[Secret]string{s: "k"},
		"deep":         deep{&u, []unexported{u}, map[string]unexported{"k": u}, u},
		"pointer deep": &deep{&u, []unexported{u}, map[string]unexported{"k": u}, &u},
		"interface":    []any{s, &s, u},
		"reflected":    reflect.ValueOf(u),
	}
}

func TestSecretHidesFromFmt(t *testing.T) {
	s := knownSecret(t)
	for name, holder := range holders(s) {
		for _, verb := range "vsqxXdtpTbcoOUeEfFgGwz!" {
			for _, flags := range []string{"", "+", "#", "+#", "-", " ", "0", "64", ".3", "#64.64"} {
				format := "%" + flags + string(verb)
				if way := leaks(s, fmt.Sprintf(format, holder)); way != "" {
					t.Errorf("%s with %s shows it as %s", name, format, way)
				}
			}
		}
		if way := leaks(s, fmt.Sprint(holder)+fmt.Sprintln(holder)); way != "" {
			t.Errorf("printing %s shows it as %s", name, way)
		}
	}
	if got := fmt.Sprintf("%v %s %x %#v %d", s, s, s, s, s); got != strings.TrimSpace(strings.Repeat("(hidden) ", 5)) {
		t.Errorf("got %s", got)
	}
}

// TestLeaksFinds: the test above is worth what leaks finds.
func TestLeaksFinds(t *testing.T) {
	s := knownSecret(t)
	raw, _ := base64.StdEncoding.DecodeString(s.Reveal())
	for _, format := range []string{"%v", "%x", "%X", "%s", "%q", "%d", "%#v", "%o", "%U", "% x", "% X"} {
		if leaks(s, fmt.Sprintf(format, raw)) == "" {
			t.Errorf("%s of the bare bytes goes unnoticed", format)
		}
	}
	if leaks(s, s.Reveal()) == "" {
		t.Error("base64 goes unnoticed")
	}
}

func TestSecretHidesFromLogsAndEncoders(t *testing.T) {
	s := knownSecret(t)
	for name, holder := range holders(s) {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "k", holder, slog.Group("g", "k", holder))
		slog.New(slog.NewJSONHandler(&log, nil)).Info("m", "k", holder, slog.Group("g", "k", holder))
		if way := leaks(s, log.String()); way != "" {
			t.Errorf("slog of %s shows it as %s: %s", name, way, log.String())
		}
		text, _ := json.Marshal(holder) // some cannot be encoded
		if way := leaks(s, string(text)); way != "" {
			t.Errorf("JSON of %s shows it as %s: %s", name, way, text)
		}
		text, _ = xml.Marshal(holder)
		if way := leaks(s, string(text)); way != "" {
			t.Errorf("XML of %s shows it as %s: %s", name, way, text)
		}
		err := fmt.Errorf("doing %v: %w", holder, errors.New("no"))
		if way := leaks(s, err.Error()+fmt.Sprintf("%+v %#v", err, err)); way != "" {
			t.Errorf("an error with %s shows it as %s", name, way)
		}
	}
	if text, err := json.Marshal(map[string]Secret{"k": s}); err != nil || string(text) != `{"k":"(hidden)"}` {
		t.Errorf("JSON is %s, %v", text, err)
	}
	var back struct{ Key Secret }
	if err := json.Unmarshal([]byte(`{"Key":"(hidden)"}`), &back); err == nil {
		t.Error("a hidden secret reads as one")
	}
}

func TestErrorsDoNotRepeatSecrets(t *testing.T) {
	s := newSecret(t)
	for _, typed := range []string{s.Reveal() + "\n", s.Reveal()[:43], "x" + s.Reveal()[1:43] + "!", s.Reveal()[:43] + "A"} {
		_, err := ParseSecret(typed)
		if err == nil {
			t.Errorf("a broken secret was read")
			continue
		}
		if strings.Contains(err.Error(), typed[4:12]) {
			t.Errorf("the error shows what was typed: %v", err)
		}
		if !strings.Contains(err.Error(), "expected 44 characters") {
			t.Errorf("the error does not say what was expected: %v", err)
		}
	}
	if _, err := ParseSecret(strings.Repeat("A", 43) + "="); err == nil {
		t.Error("the empty key was read")
	}
}

func TestSecretComparesByValue(t *testing.T) {
	a, b := newSecret(t), newSecret(t)
	again, err := ParseSecret(a.Reveal())
	if err != nil || again != a || a == b || a.IsZero() {
		t.Errorf("again == a: %v, a == b: %v, %v", again == a, a == b, err)
	}
	var none Secret
	if !none.IsZero() || none.Reveal() != "" || none == a {
		t.Error("no key is a key")
	}
	if _, err := none.Public(); err == nil {
		t.Error("no key has a public half")
	}
	if fmt.Sprint(none) != "(hidden)" {
		t.Error("printing tells whether there is a key")
	}
}

func TestNewKeys(t *testing.T) {
	seen := make(map[Secret]bool)
	for range 50 {
		private := newSecret(t)
		raw, err := base64.StdEncoding.DecodeString(private.Reveal())
		if err != nil || len(raw) != 32 || raw[0]&7 != 0 || raw[31]&128 != 0 || raw[31]&64 == 0 {
			t.Fatalf("a private key is not clamped: first byte %08b, last %08b, %v", raw[0], raw[31], err)
		}
		preshared, err := NewPreshared()
		if err != nil {
			t.Fatal(err)
		}
		if seen[private] || seen[preshared] {
			t.Fatal("a key came twice")
		}
		seen[private], seen[preshared] = true, true
	}
}

// TestPublicOfKnownKey: Alice's pair of RFC 7748 section 6.1.
func TestPublicOfKnownKey(t *testing.T) {
	inBase64 := func(s string) string {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(b)
	}
	private, err := ParseSecret(inBase64("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a"))
	if err != nil {
		t.Fatal(err)
	}
	public, err := private.Public()
	if want := inBase64("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"); err != nil || public.String() != want {
		t.Errorf("got %v, %v; want %s", public, err, want)
	}
}
