package witness

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

func someInvite(t testing.TB) Invite {
	t.Helper()
	i, err := NewBook(t.TempDir()).Invite("Anna's home", []string{"witness.example.org", "[2a77:db8::5]:9000", "11.0.1.5"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestWhatAnInvitePrintsItReads(t *testing.T) {
	t.Parallel()
	i := someInvite(t)
	got, err := ParseInvite("  " + i.Line() + "\n")
	if err != nil || !reflect.DeepEqual(got, i) {
		t.Fatalf("read %+v, %v; want %+v", got, err, i)
	}
	if want := []string{"witness.example.org:8124", "[2a77:db8::5]:9000", "11.0.1.5:8124"}; !reflect.DeepEqual(got.Addresses, want) {
		t.Errorf("the addresses are %q, want %q", got.Addresses, want)
	}
	if name, err := Named(i.Line()); name != "witness.example.org" || err != nil {
		t.Errorf("it is called %q, %v", name, err)
	}
}

func TestAnInviteShowsItsSecretInOneWayOnly(t *testing.T) {
	t.Parallel()
	i := someInvite(t)
	secret := i.seed.text.Reveal()
	for _, text := range []string{fmt.Sprint(i), fmt.Sprintf("%+v %#v %q %x", i, i, i, &i), i.String()} {
		if strings.Contains(text, secret) || strings.Contains(text, i.Line()) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("%q shows the secret", text)
		}
	}
}

func TestWhatIsNoInvite(t *testing.T) {
	t.Parallel()
	line := someInvite(t).Line()
	wrong := []byte(line)
	wrong[len(wrong)/2] ^= 1
	for _, text := range []string{"", "hello", invitePrefix, line[:len(line)-3], line + "AA", string(wrong), invitePrefix + strings.Repeat("A", 5000)} {
		_, err := ParseInvite(text)
		if !errors.Is(err, ErrInvite) {
			t.Errorf("%.30q: %v", text, err)
		}
		if err != nil && len(text) > 30 && strings.Contains(err.Error(), text[19:]) {
			t.Errorf("the error repeats it: %v", err)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"witness.example.org":  "witness.example.org:8124",
		"Witness.Example.org:": "",
		"11.0.1.5":             "11.0.1.5:8124",
		"11.0.1.5:1":           "11.0.1.5:1",
		"2a77:db8::5":          "[2a77:db8::5]:8124",
		"[2a77:db8::5]":        "[2a77:db8::5]:8124",
		"[2a77:db8::5]:7":      "[2a77:db8::5]:7",
		"HOST:7":               "host:7",
		"":                     "",
		"a b":                  "",
		"host:0":               "",
		"host:70000":           "",
		"1.2.3":                "",
		"fe80::1%eth0":         "",
		"-a":                   "",
	} {
		if got, err := Address(text, AskPort); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}

func FuzzParseInvite(f *testing.F) {
	f.Add(someInvite(f).Line())
	f.Add(invitePrefix + "AQAA")
	f.Fuzz(func(t *testing.T, text string) {
		i, err := ParseInvite(text)
		if err != nil {
			return
		}
		if again, err := ParseInvite(i.Line()); err != nil || !reflect.DeepEqual(again, i) {
			t.Fatalf("%q is read as %+v, printed and read as %+v, %v", text, i, again, err)
		}
	})
}
