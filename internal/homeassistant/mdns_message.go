package homeassistant

import (
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// This file reads and writes messages of multicast DNS (RFC 6762) and service discovery over it (RFC 6763). Whoever is
// on the LAN may send us anything, so what is taken from a message is bounded, record by record, and a record that does
// not hold is skipped without its neighbours.

const (
	service = "_home-assistant._tcp.local."

	// mostRecords of one message are read. An announcement has about ten; a full packet of 9,000 bytes, the most that
	// RFC 6762, section 17, allows, has room for some eight hundred empty ones.
	mostRecords = 128

	// mostKept bounds what is kept of each kind from one sender: nobody runs so many Home Assistants on a machine.
	mostKept = 16

	// mostMessages of one sender are read for one question; the rest are dropped unread.
	mostMessages = 64

	// wantUnicast asks for the answer to be sent to us alone (RFC 6762, section 5.4). To a question that does not come
	// from port 5353 it is anyway (section 6.7); saying so spares the others the guess.
	wantUnicast = 1 << 15
)

// query makes a message with that id. Names that cannot be written are left out.
func query(id uint16, questions []dnsmessage.Question) ([]byte, error) {
	m := dnsmessage.Message{Header: dnsmessage.Header{ID: id}, Questions: questions}
	return m.Pack()
}

func question(name string, kind dnsmessage.Type) (dnsmessage.Question, bool) {
	n, err := dnsmessage.NewName(name)
	return dnsmessage.Question{Name: n, Type: kind, Class: dnsmessage.ClassINET | wantUnicast}, err == nil
}

// heard is what one sender said. The keys are names in lower case, because DNS does not tell case apart.
type heard struct {
	messages  int  // that were read so far
	followUps int  // how often more was asked because of it
	full      bool // something was left out, or it contradicts itself: somebody may be speaking in its name

	labels map[string]string // the instances of our service, and how they write their first label
	srv    map[string]srv
	txt    map[string][]string
	addrs  map[string][]netip.Addr
}

type srv struct {
	host string
	port uint16
}

func newHeard() *heard {
	return &heard{
		labels: map[string]string{},
		srv:    map[string]srv{},
		txt:    map[string][]string{},
		addrs:  map[string][]netip.Addr{},
	}
}

// announces is what makes a sender one to listen to: it said that there is a Home Assistant.
func (h *heard) announces() bool { return len(h.labels) > 0 }

// add reads one message and tells whether it did: whether it is an answer to the question with that id (RFC 6762,
// sections 6.7, 18.1 to 18.11).
func (h *heard) add(message []byte, id uint16) bool {
	var p dnsmessage.Parser
	header, err := p.Start(message)
	if err != nil || !header.Response || header.ID != id || header.OpCode != 0 || header.RCode != dnsmessage.RCodeSuccess {
		return false
	}
	if h.messages == mostMessages {
		h.full = true
		return false
	}
	h.messages++
	if p.SkipAllQuestions() != nil {
		return false
	}
	left := mostRecords
	h.section(&p, &left, p.AnswerHeader, p.SkipAnswer)
	h.section(&p, &left, p.AuthorityHeader, p.SkipAuthority)
	h.section(&p, &left, p.AdditionalHeader, p.SkipAdditional)
	return true
}

// section reads the records of one section and ends at its end, at what cannot be skipped, or when left is used up.
func (h *heard) section(p *dnsmessage.Parser, left *int, head func() (dnsmessage.ResourceHeader, error), skip func() error) {
	for ; *left > 0; *left-- {
		header, err := head()
		if err == dnsmessage.ErrSectionDone { //nolint:errorlint // the parser returns it bare
			return
		}
		// The top bit of the class says that older records are to be forgotten (section 10.2); a TTL of zero, that the
		// record itself is (section 10.1).
		if err == nil && header.Class&^wantUnicast == dnsmessage.ClassINET && header.TTL > 0 && h.record(p, header) {
			continue
		}
		if skip() != nil {
			return
		}
	}
}

// record keeps what a record says. It is false when the parser still stands in front of the record: it is of a kind that
// we do not read, or it does not hold.
func (h *heard) record(p *dnsmessage.Parser, header dnsmessage.ResourceHeader) bool {
	name := fold(header.Name)
	var err error
	switch header.Type {
	case dnsmessage.TypePTR:
		var r dnsmessage.PTRResource
		if r, err = p.PTRResource(); err == nil && name == service {
			h.instance(r.PTR)
		}
	case dnsmessage.TypeSRV:
		var r dnsmessage.SRVResource
		if r, err = p.SRVResource(); err == nil && r.Port != 0 && isInstance(name) {
			keep(h, h.srv, name, srv{fold(r.Target), r.Port}, func(a, b srv) bool { return a == b })
		}
	case dnsmessage.TypeTXT:
		var r dnsmessage.TXTResource
		if r, err = p.TXTResource(); err == nil && isInstance(name) {
			keep(h, h.txt, name, r.TXT, slices.Equal[[]string])
		}
	case dnsmessage.TypeA:
		var r dnsmessage.AResource
		if r, err = p.AResource(); err == nil {
			h.address(name, netip.AddrFrom4(r.A))
		}
	case dnsmessage.TypeAAAA:
		var r dnsmessage.AAAAResource
		if r, err = p.AAAAResource(); err == nil {
			h.address(name, netip.AddrFrom16(r.AAAA))
		}
	default:
		return false
	}
	return err == nil
}

func (h *heard) instance(n dnsmessage.Name) {
	if name := fold(n); isInstance(name) {
		label := n.String()[:len(name)-len("."+service)]
		keep(h, h.labels, name, label, strings.EqualFold)
	}
}

// isInstance tells the names of Home Assistants from those of other things, which the same sender may offer too.
func isInstance(name string) bool {
	return strings.HasSuffix(name, "."+service) && len(name) > len("."+service)
}

func (h *heard) address(host string, addr netip.Addr) {
	addrs, known := h.addrs[host]
	addr = addr.Unmap()
	switch {
	case slices.Contains(addrs, addr):
	case len(addrs) == mostKept || !known && len(h.addrs) == mostKept:
		h.full = true
	default:
		h.addrs[host] = append(addrs, addr)
	}
}

// keep keeps what was said first: what comes later and differs may be somebody else's, under a forged address.
func keep[V any](h *heard, m map[string]V, key string, v V, equal func(a, b V) bool) {
	old, known := m[key]
	switch {
	case known:
		h.full = h.full || !equal(old, v)
	case len(m) == mostKept:
		h.full = true
	default:
		m[key] = v
	}
}

// fold makes names comparable: DNS knows the case of ASCII letters only (RFC 4343, section 3), and every other byte must
// stay as it is, because the name is asked for again.
func fold(n dnsmessage.Name) string {
	b := []byte(n.String())
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
