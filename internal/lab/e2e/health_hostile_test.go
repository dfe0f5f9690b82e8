package e2e

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// A liar answers as a witness does, with the key of one, and says of every port that nobody is there. It is written from the
// description of the protocol, not from its code, so that what it says is what an attacker could say who holds the key.
type liar struct {
	on  *lab.Host
	key ed25519.PrivateKey

	// What it gets wrong, if anything; each is the zero value for a lie that is told well.
	sign     ed25519.PrivateKey          // another key
	twist    func(answer map[string]any) // changes the answer before it is signed
	lookedAt string                      // the IPv4 address that it says that the caller has
	silent   bool                        // sends no datagrams
	refuse   map[string]any              // a refusal in place of an answer
	canary   func(liarResult) liarResult // what it says of the canary
}

type liarResult struct {
	Address  netip.Addr `json:"address"`
	Port     uint16     `json:"port"`
	State    string     `json:"state"`
	Why      string     `json:"why,omitempty"`
	Attempts int        `json:"attempts"`
	Reach    string     `json:"reach,omitempty"`
}

// liar puts a liar in the place of a witness whose invites were handed out before.
func (o *outsider) liar(t testing.TB, l liar) {
	t.Helper()
	o.process.Stop(t)
	text, err := os.ReadFile(filepath.Join(o.state, "witness.key"))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	l.on, l.key = o.Host, ed25519.NewKeyFromSeed(seed)
	if l.sign == nil {
		l.sign = l.key
	}
	listener, err := o.Listen(t.Context(), "tcp", ":8124")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(time.Minute)) // of an open connection: it cannot fail
				if err := l.serve(t.Context(), c); err != nil {
					fmt.Println("the liar was not heard out:", err) // the appliance may hang up, which is what it should do
				}
			}()
		}
	}()
}

// otherKey is a key that no invite names.
func otherKey() ed25519.PrivateKey {
	_, key, _ := ed25519.GenerateKey(rand.Reader) // never fails (crypto/rand)
	return key
}

// serve is one exchange: hello, challenge, question, answer.
func (l liar) serve(ctx context.Context, c net.Conn) error {
	caller := netip.MustParseAddrPort(c.RemoteAddr().String()).Addr().Unmap()
	told := caller
	if l.lookedAt != "" && caller.Is4() {
		told = netip.MustParseAddr(l.lookedAt)
	}
	var hello struct{ Nonce string }
	if err := l.read(c, 1, &hello); err != nil {
		return err
	}
	ours := make([]byte, 32)
	_, _ = rand.Read(ours) // never fails (crypto/rand)
	challenge := map[string]any{
		"nonce": hello.Nonce, "challenge": base64.RawURLEncoding.EncodeToString(ours), "address": told, "time": time.Now().UTC(),
	}
	if err := l.write(c, 2, challenge); err != nil {
		return err
	}
	var question struct {
		Challenge string
		Targets   []struct {
			Address netip.Addr
			Ports   []uint16
		}
		Path, Canary  uint16
		Before, After string
	}
	if err := l.read(c, 3, &question); err != nil {
		return err
	}
	if l.refuse != nil {
		l.refuse["nonce"] = hello.Nonce
		return l.write(c, 5, l.refuse)
	}
	began := time.Now().UTC()
	if err := l.datagram(ctx, caller, question.Path, question.Before); err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // as if it had looked
	results := []liarResult{}
	for _, target := range question.Targets {
		address := target.Address
		if !address.IsValid() {
			address = told
		}
		for _, port := range target.Ports {
			results = append(results, liarResult{address, port, "filtered", "no_answer", 3, "held"})
		}
	}
	if err := l.datagram(ctx, caller, question.Path, question.After); err != nil {
		return err
	}
	family := "ipv4"
	if caller.Is6() {
		family = "ipv6"
	}
	answer := map[string]any{
		"nonce": hello.Nonce, "challenge": challenge["challenge"], "address": told, "family": family,
		"vantage": netip.MustParseAddrPort(c.LocalAddr().String()).Addr().Unmap(),
		"started": began, "ended": time.Now().UTC(), "results": results,
		"decoy": liarResult{told, 60123, "filtered", "no_answer", 3, ""},
	}
	if question.Canary != 0 {
		canary := liarResult{told, question.Canary, "filtered", "no_answer", 3, ""}
		if l.canary != nil {
			canary = l.canary(canary)
		}
		answer["canary"] = canary
	}
	if l.twist != nil {
		l.twist(answer)
	}
	return l.write(c, 4, answer)
}

// datagram is the path control: what the tunnel's bind waits for.
func (l liar) datagram(ctx context.Context, to netip.Addr, port uint16, nonce string) error {
	if l.silent || port == 0 {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil {
		return err
	}
	c, err := l.on.Dial(ctx, "udp", netip.AddrPortFrom(to, port).String())
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write(append([]byte("hearthgate path\n"), raw...))
	return err
}

// A message is "HGW", 1, its kind, the length of the body in 3 bytes and of the padding in 4, the body, a signature over a fixed
// text, these 12 bytes and the body, and the padding.
func (l liar) write(w io.Writer, kind byte, message any) error {
	body, err := json.Marshal(message)
	if err != nil {
		return err
	}
	header := append([]byte("HGW\x01"), 0, 0, 0, 0, 0, 0, 0, 0)
	binary.BigEndian.PutUint32(header[4:], uint32(len(body)))
	header[4] = kind
	signed := append(append([]byte("hearthgate witness, version 1\n"), header...), body...)
	_, err = w.Write(append(append(header, body...), ed25519.Sign(l.sign, signed)...))
	return err
}

func (l liar) read(r io.Reader, kind byte, into any) error {
	header := make([]byte, 12)
	if _, err := io.ReadFull(r, header); err != nil {
		return err
	}
	if string(header[:4]) != "HGW\x01" || header[4] != kind {
		return fmt.Errorf("the header %x is not that of a message of kind %d", header, kind)
	}
	body := make([]byte, binary.BigEndian.Uint32(header[4:])&0xffffff)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, r, int64(ed25519.SignatureSize)+int64(binary.BigEndian.Uint32(header[8:]))); err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}
