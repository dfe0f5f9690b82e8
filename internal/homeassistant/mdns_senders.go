package homeassistant

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"

	"golang.org/x/net/dns/dnsmessage"
)

// This file bounds what a question costs us, without letting the bounds decide what the household sees. Whoever fills
// one up could so keep somebody else's announcement out, and the one that is left would look like the only one. So a
// bound that was reached is remembered, and the answer says that there was a crowd.

const (
	// mostSenders are kept for one question. One Home Assistant is two or three, by its addresses.
	mostSenders = 32

	// mostLookUps is how often the kernel is asked whether a sender is on a directly connected network.
	mostLookUps = 4 * mostSenders

	// loud is how many frames make a crowd, whatever is in them. They are read to the last, because whoever shouts first
	// must not silence the others, but from here on the kernel may have dropped some: a socket's buffer has 212,992 bytes
	// (rmem_default, socket(7)), and a frame in it takes up to some 2,304, however short it is. Answers come to us alone,
	// so that a household makes ten or twenty.
	loud  = 92
	frame = 1472 // bytes that fit beside the headers

	// mostFollowUps is how often more is asked because of what one sender left open: its place, then its address, and
	// both again when something was lost. mostAsked bounds it for all of them together.
	mostFollowUps = 4
	mostAsked     = 64
)

// senders are those who had something to say to one question.
type senders struct {
	id     uint16
	about  func(*heard) bool // whether what somebody said is about the question
	onLink func(netip.Addr) bool

	said    map[netip.Addr]*heard
	crowded bool // a bound was reached, so that somebody may not have been heard

	frames, lookUps, followUps int // so far
}

func newSenders(id uint16, about func(*heard) bool, onLink func(netip.Addr) bool) *senders {
	return &senders{id: id, about: about, onLink: onLink, said: map[netip.Addr]*heard{}}
}

// hear adds a message to what its sender said before, and returns that; nil when the message adds nothing. Who has
// nothing to say about the question takes nobody's place.
func (s *senders) hear(msg message) *heard {
	if s.frames += 1 + len(msg.bytes)/frame; s.frames > loud {
		s.crowded = true
	}
	h, known := s.said[msg.source]
	if !known {
		h = newHeard()
	}
	if !h.add(msg.bytes, s.id) {
		s.crowded = s.crowded || known && h.full
		return nil
	}
	if !known {
		if !s.about(h) || !s.admit(msg.source) {
			return nil
		}
		s.said[msg.source] = h
	}
	s.crowded = s.crowded || h.full
	return h
}

// admit tells whether a new sender is listened to. Answers that do not come from a directly connected network are
// dropped (RFC 6762, section 11).
func (s *senders) admit(source netip.Addr) bool {
	if len(s.said) >= mostSenders || s.lookUps >= mostLookUps {
		s.crowded = true
		return false
	}
	s.lookUps++
	return s.onLink(source)
}

// open is what to ask next, because of what one of them said.
func (s *senders) open(h *heard) []dnsmessage.Question {
	questions := h.missing()
	if len(questions) == 0 {
		return nil
	}
	if h.followUps >= mostFollowUps || s.followUps >= mostAsked {
		s.crowded = true
		return nil
	}
	h.followUps++
	s.followUps++
	return questions
}

// hearsay puts together what each of them said, in an order that does not depend on who was heard first.
func (s *senders) hearsay() Hearsay {
	all := Hearsay{Crowded: s.crowded}
	for _, source := range slices.SortedFunc(maps.Keys(s.said), netip.Addr.Compare) {
		all.Announcements = append(all.Announcements, s.said[source].announcements(source)...)
	}
	return all
}

// inTurn orders announcements by turns: the first of each sender, then the second of each, and so on. So whoever
// announces much is heard, and the others before it goes on.
func inTurn(announcements []Announcement) []Announcement {
	type placed struct {
		turn int
		Announcement
	}
	turns := map[netip.Addr]int{}
	var all []placed
	for _, a := range announcements {
		all = append(all, placed{turns[a.Source], a})
		turns[a.Source]++
	}
	slices.SortStableFunc(all, func(a, b placed) int { return cmp.Compare(a.turn, b.turn) })
	ordered := make([]Announcement, len(all))
	for i, p := range all {
		ordered[i] = p.Announcement
	}
	return ordered
}
