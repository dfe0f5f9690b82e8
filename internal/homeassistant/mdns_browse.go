package homeassistant

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	// listenFor is how long a question is open. Responders answer within 500 ms at the latest (RFC 6762, section 6), and
	// what was lost on the air is asked again after a second (section 5.2).
	listenFor = 2 * time.Second
	askAgain  = time.Second
)

// mdns asks the LAN one question at a time. It keeps no cache and answers nobody: a one-shot querier (RFC 6762, section
// 5.1), which needs no port 5353 and so gets along with whatever responder the machine runs.
type mdns struct {
	onLink func(netip.Addr) bool // whether an address is on a directly connected network
	open   func() ([]*voice, error)
}

// browse asks who announces a Home Assistant and collects answers for two seconds.
func (m mdns) browse(ctx context.Context) (Hearsay, error) {
	first, _ := question(service, dnsmessage.TypePTR)
	all, err := m.ask(ctx, []dnsmessage.Question{first}, (*heard).announces, false)
	if err != nil {
		return Hearsay{}, fmt.Errorf("browsing by mDNS: %w", err)
	}
	return all.hearsay(), nil
}

// resolve asks for the addresses of a name that ends in .local, and returns with the first answer that has any: those
// that are private and on a directly connected network, IPv4 first.
func (m mdns) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	name := host + "."
	var questions []dnsmessage.Question
	for _, kind := range []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA} {
		if q, ok := question(name, kind); ok {
			questions = append(questions, q)
		}
	}
	var found []netip.Addr
	all, err := m.ask(ctx, questions, func(h *heard) bool {
		found = usable(h.addrs[name], m.onLink)
		return len(found) > 0
	}, true)
	if err != nil {
		return nil, fmt.Errorf("resolving %q by mDNS: %w", host, err)
	}
	if len(all.said) == 0 {
		return nil, fmt.Errorf("resolving %q by mDNS: nobody on this network has that name", host)
	}
	return found, nil
}

// ask puts the questions on every link and gathers the answers that are about them, by sender. One is enough, or else
// it listens to the end, and asks for what an answer leaves open.
func (m mdns) ask(
	ctx context.Context, questions []dnsmessage.Question, about func(*heard) bool, oneIsEnough bool,
) (*senders, error) {
	voices, err := m.open()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, listenFor)
	defer cancel()

	id := uint16(rand.Uint32()) //nolint:gosec // tells our answers from others', and strangers off the link cannot see it
	messages := listen(ctx, voices)
	defer hangUp(voices, messages)

	say(voices, id, questions)
	again := time.NewTimer(askAgain)
	defer again.Stop()

	all := newSenders(id, about, m.onLink)
	for {
		select {
		case <-ctx.Done():
			return all, nil
		case <-again.C:
			say(voices, id, questions)
		case msg, ok := <-messages:
			if !ok {
				return all, nil
			}
			h := all.hear(msg)
			if h == nil {
				continue
			}
			if oneIsEnough {
				return all, nil
			}
			if open := all.open(h); len(open) > 0 {
				say(voices, id, open)
			}
		}
	}
}

// A message is what one sender sent at once.
type message struct {
	source netip.Addr
	bytes  []byte
}

// A voice is a socket on one link in one family: it speaks to the group and hears what is sent back to it.
type voice struct {
	conn  net.PacketConn
	group net.Addr
}

// say sends the questions on every link. A link that does not take them is as good as one where nobody answers.
func say(voices []*voice, id uint16, questions []dnsmessage.Question) {
	packet, err := query(id, questions)
	if err != nil {
		return
	}
	for _, v := range voices {
		_, _ = v.conn.WriteTo(packet, v.group)
	}
}

// listen reads from every voice until the context ends; then the channel is closed.
func listen(ctx context.Context, voices []*voice) <-chan message {
	messages := make(chan message)
	done := make(chan struct{}, len(voices))
	for _, v := range voices {
		if deadline, ok := ctx.Deadline(); ok {
			_ = v.conn.SetReadDeadline(deadline)
		}
		go func() {
			v.read(ctx, messages)
			done <- struct{}{}
		}()
	}
	go func() {
		for range voices {
			<-done
		}
		close(messages)
	}()
	return messages
}

func (v *voice) read(ctx context.Context, messages chan<- message) {
	buffer := make([]byte, 9000) // RFC 6762, section 17
	for {
		n, from, err := v.conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		udp, ok := from.(*net.UDPAddr)
		if !ok {
			continue
		}
		select {
		case messages <- message{udp.AddrPort().Addr().Unmap(), append([]byte(nil), buffer[:n]...)}:
		case <-ctx.Done():
			return
		}
	}
}

// hangUp closes the voices and waits for their readers, so that nothing is left behind.
func hangUp(voices []*voice, messages <-chan message) {
	for _, v := range voices {
		_ = v.conn.Close()
	}
	for range messages {
	}
}

var errNoLink = errors.New("no network interface here takes multicast")
