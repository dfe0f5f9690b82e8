package lab

import (
	"strings"
	"testing"
)

func TestOnlyTheAddressIsTakenOut(t *testing.T) {
	t.Parallel()
	const config = `[Interface]
PrivateKey = aaa
  address=10.7.0.2/32, fd07::2
DNS = 1.1.1.1

[Peer]
PublicKey = bbb=
AllowedIPs = 10.7.0.1
AllowedIPs = fd07::/64
`
	c, err := readConf(config)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(config, "  address=10.7.0.2/32, fd07::2\n", "", 1)
	if c.forSetconf != want {
		t.Errorf("wg gets %q, want %q", c.forSetconf, want)
	}
	if len(c.addresses) != 2 || c.addresses[1].String() != "fd07::2/128" || len(c.allowed) != 2 || c.peer != "bbb=" {
		t.Errorf("read %+v", c)
	}
}

func TestAConfigThatIsNoPhones(t *testing.T) {
	t.Parallel()
	for _, config := range []string{
		"", "[Interface]\nAddress = here\n", "[Peer]\nPublicKey = a\n", "[Interface]\nAddress = 10.0.0.1/33\n",
		"[Interface]\nAddress = 10.7.0.2\n[Peer]\nPublicKey = a\nAllowedIPs = 10.7.0.1\n[Peer]\nPublicKey = b\n",
	} {
		if c, err := readConf(config); err == nil {
			t.Errorf("%q is read as %+v", config, c)
		}
	}
}
