package peers

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/internal/key"
)

const (
	testPrivate   = "qJvZVOpRHd0hUX8Wkqh5zGkfrJSTWLlFSGlQNpeCL1Y="
	testPreshared = "yl0TD0A0yCGYiwR2Ckq0pWMwbGvW3oaM2VH8mVBkVh0="
	testServer    = "sDnXhQKHUVJtXH0IUyFtBKxaH24Nw0oF5t8OAfc2HXU="
)

// testEnrolment is one whose every byte is known.
func testEnrolment(t testing.TB) (Enrolment, Server) {
	t.Helper()
	must := func(s string) key.Secret {
		secret, err := key.ParseSecret(s)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	public, err := key.ParsePublic(testServer)
	if err != nil {
		t.Fatal(err)
	}
	server := Server{
		PublicKey: public,
		Network4:  netip.MustParsePrefix("10.123.176.0/20"),
		Network6:  netip.MustParsePrefix("fd5e:81f3:cc07::/64"),
	}
	server.Address4, server.Address6 = server.addresses(serverIndex)
	server.Admin4, server.Admin6 = server.addresses(server.lastUsable())
	e := Enrolment{PrivateKey: must(testPrivate), Peer: Peer{Name: "Anna's phone", Pair: Pair{PresharedKey: must(testPreshared)}}}
	e.Peer.Pair.IPv4, e.Peer.Pair.IPv6 = server.addresses(300)
	return e, server
}

func TestConfigText(t *testing.T) {
	e, server := testEnrolment(t)
	c, err := e.Config(server, "home.example.org:51820")
	if err != nil {
		t.Fatal(err)
	}
	want := `[Interface]
PrivateKey=` + testPrivate + `
Address=10.123.177.44/32,fd5e:81f3:cc07::12c/128
[Peer]
PublicKey=` + testServer + `
PresharedKey=` + testPreshared + `
Endpoint=home.example.org:51820
AllowedIPs=10.123.176.1/32,fd5e:81f3:cc07::1/128
`
	if c.Text() != want {
		t.Errorf("config is\n%s\nwant\n%s", c.Text(), want)
	}
	for _, a := range apps {
		if err := a.refuses(c.Text()); err != nil {
			t.Error(err)
		}
	}
	if shown := fmt.Sprintf("%v %+v %#v %s %x", c, c, c, c, c); strings.Contains(shown, testPrivate) || strings.Contains(shown, testPreshared) {
		t.Errorf("printing a config shows its keys: %s", shown)
	}
}

func TestConfigOfIPv6Endpoint(t *testing.T) {
	e, server := testEnrolment(t)
	c, err := e.Config(server, "[2001:db8::7]:51820")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(c.Text(), "\nEndpoint=[2001:db8::7]:51820\n") {
		t.Errorf("an IPv6 endpoint needs brackets:\n%s", c.Text())
	}
	for _, a := range apps {
		if err := a.refuses(c.Text()); err != nil {
			t.Error(err)
		}
	}
}

func TestConfigOfKeyMadeElsewhere(t *testing.T) {
	e, server := testEnrolment(t)
	e.PrivateKey = key.Secret{}
	c, err := e.Config(server, "192.0.2.7:51820")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(c.Text(), "PrivateKey") || !strings.HasPrefix(c.Text(), "[Interface]\nAddress=") {
		t.Errorf("the phone has its own key, yet its config says\n%s", c.Text())
	}
	if again, err := ParseClientConfig(c.Text()); err != nil || again.Text() != c.Text() {
		t.Errorf("it is read again as %v, %v", again, err)
	}
}

func TestConfigNeedsAnEndpoint(t *testing.T) {
	e, server := testEnrolment(t)
	for _, endpoint := range []string{"", "home.example.org", "home:1\nDNS=192.0.2.1", "fe80::1", "home:99999"} {
		c, err := e.Config(server, endpoint)
		if !errors.Is(err, ErrInvalid) || c.Text() != (ClientConfig{}).Text() {
			t.Errorf("endpoint %q: %v", endpoint, err)
			continue
		}
		assertSentence(t, err)
	}
}

func TestParseClientConfigRefuses(t *testing.T) {
	e, server := testEnrolment(t)
	c, err := e.Config(server, "home.example.org:51820")
	if err != nil {
		t.Fatal(err)
	}
	good := c.Text()
	change := func(old, text string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the config", old)
		}
		return strings.Replace(good, old, text, 1)
	}
	for what, text := range map[string]string{
		"nothing":                   "",
		"a bar code":                "03048812",
		"a comment":                 "# Anna\n" + good,
		"a comment after a value":   change("/128\n[Peer]", "/128 # here\n[Peer]"),
		"a key of wg-quick's":       change("Address=", "PostUp=reboot\nAddress="),
		"a key of Android's":        change("Address=", "IncludedApplications=io.homeassistant\nAddress="),
		"MTU":                       change("Address=", "MTU=1420\nAddress="),
		"DNS":                       change("Address=", "DNS=192.0.2.1\nAddress="),
		"keepalive":                 change("Endpoint=", "PersistentKeepalive=25\nEndpoint="),
		"a peer's key in Interface": change("Address=", "Endpoint=a:1\nAddress="),
		"an interface's in Peer":    change("Endpoint=", "Address=10.0.0.1/32\nEndpoint="),
		"a repeated key":            change("Endpoint=", "PublicKey="+testServer+"\nEndpoint="),
		"a second interface":        "[Interface]\n" + good,
		"a second peer":             good + "[Peer]\nPublicKey=" + testServer + "\n",
		"a key before any section":  "Address=10.0.0.1/32\n" + good,
		"an unknown section":        change("[Peer]", "[WireGuard]"),
		"no endpoint":               change("Endpoint=home.example.org:51820\n", ""),
		"an empty endpoint":         change("home.example.org:51820", ""),
		"(none)":                    change("home.example.org:51820", "(none)"),
		"no port":                   change("home.example.org:51820", "home.example.org"),
		"no brackets":               change("home.example.org:51820", "2001:db8::1:51820"),
		"an underscore":             change("home.example.org", "my_home.lan"),
		"a short key":               change(testPrivate, testPrivate[1:]),
		"a zero key":                change(testPreshared, strings.Repeat("A", 43)+"="),
		"no public key":             change("PublicKey="+testServer+"\n", ""),
		"a bad address":             change("10.123.177.44/32", "10.123.177.444/32"),
		"an address without length": change("10.123.177.44/32", "10.123.177.44"),
		"an empty list item":        change("10.123.177.44/32", ""),
		"Windows line ends":         strings.ReplaceAll(good, "\n", "\r\n"),
		"another line separator":    change("\nEndpoint=", "\u2028Endpoint="),
		"a byte order mark":         "\ufeff" + good,
		"a zero byte":               good + "\x00",
	} {
		c, err := ParseClientConfig(text)
		if !errors.Is(err, ErrInvalid) {
			t.Errorf("a config with %s is accepted as %v, %v", what, c, err)
			continue
		}
		assertSentence(t, err)
		for _, secret := range []string{testPrivate, testPreshared} {
			if strings.Contains(err.Error(), secret[1:22]) {
				t.Errorf("the refusal of a config with %s shows a key: %v", what, err)
			}
		}
	}
}

// meant are the lines that a config may have.
var meant = []string{"[Interface]", "PrivateKey", "Address", "[Peer]", "PublicKey", "PresharedKey", "Endpoint", "AllowedIPs"}

// FuzzConfig renders configs for any name and endpoint: no input makes a line that
// was not meant, and what is rendered is read as what it was.
func FuzzConfig(f *testing.F) {
	f.Add("Anna's phone", "home.example.org:51820", uint16(2))
	f.Add("x\nPostUp = reboot", "home:1\nPostUp=reboot", uint16(4094))
	f.Add("[Peer]", "[2001:db8::1]:1", uint16(300))
	f.Fuzz(func(t *testing.T, name, endpoint string, index uint16) {
		e, server := testEnrolment(t)
		e.Peer.Name = name
		e.Peer.Pair.IPv4, e.Peer.Pair.IPv6 = server.addresses(int(index) % 4095)
		c, err := e.Config(server, endpoint)
		if err != nil {
			return
		}
		var lines []string
		for line := range strings.Lines(c.Text()) {
			key, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			lines = append(lines, key)
		}
		if !slices.Equal(lines, meant) {
			t.Fatalf("name %q and endpoint %q make the lines %q", name, endpoint, lines)
		}
		again, err := ParseClientConfig(c.Text())
		if err != nil || again.Text() != c.Text() || again.PrivateKey != e.PrivateKey || again.PublicKey != server.PublicKey {
			t.Fatalf("%q is read as %q, %v", c.Text(), again.Text(), err)
		}
		for _, a := range apps {
			if err := a.refuses(c.Text()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzParseClientConfig: what is accepted, neither app refuses, and it prints as
// something that is accepted again and means the same.
func FuzzParseClientConfig(f *testing.F) {
	e, server := testEnrolment(f)
	c, err := e.Config(server, "home.example.org:51820")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(c.Text())
	f.Add(strings.ReplaceAll(c.Text(), "=", " = "))
	f.Add("[Interface]\n[Peer]\n")
	f.Add("PrivateKey\n[Interface]=x")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseClientConfig(text)
		if err != nil {
			assertSentence(t, err)
			return
		}
		again, err := ParseClientConfig(c.Text())
		if err != nil || again.Text() != c.Text() {
			t.Fatalf("%q prints as %q and that is read as %q, %v", text, c.Text(), again.Text(), err)
		}
		for _, a := range apps {
			if err := a.refuses(text); err != nil && !c.PrivateKey.IsZero() {
				t.Fatalf("%q is accepted, but %v", text, err)
			}
		}
	})
}
