package mqtt

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

// canned is a connection on which something has been said.
type canned struct {
	net.Conn
	io.Reader
}

func (c canned) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func TestGuard(t *testing.T) {
	for name, c := range map[string]struct {
		said string
		want string // what comes through
		ok   bool
	}{
		"two packets":       {"\x20\x03\x00\x00\x00\xd0\x00", "\x20\x03\x00\x00\x00\xd0\x00", true},
		"a longer one":      {"\x30\xc8\x01" + strings.Repeat("x", 200), "\x30\xc8\x01" + strings.Repeat("x", 200), true},
		"too long":          {"\xd0\x00\x30\xff\xff\xff\x7f", "\xd0\x00", false},
		"just too long":     {"\x30\x81\x20", "", false},
		"an endless length": {"\x30\x80\x80\x80\x80\x80\x80\x00", "", false},
		"a large length":    {"\x30\xff\xff\xff\xff\xff", "", false},
	} {
		got, err := io.ReadAll(guard(canned{Reader: strings.NewReader(c.said)}))
		if string(got) != c.want || (err == nil) != c.ok {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

// FuzzGuard: what comes through never makes paho break or take much room, whatever the broker says.
func FuzzGuard(f *testing.F) {
	for _, s := range []string{
		"\x20\x09\x00\x00\x06\x15\x00\x03abc", "\x30\x05\x00\x01x\x00y", "\x90\x04\x00\x01\x00\x00", "\x40\x04\x00\x01\x10\x00",
		"\xe0\x02\x00\x00", "\xf0\x02\x00\x00", "\x30\xff\xff\xff\x7f", "\xd0\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		g := guard(canned{Reader: bytes.NewReader(said)})
		for {
			if _, err := packets.ReadPacket(g); err != nil {
				return
			}
		}
	})
}
