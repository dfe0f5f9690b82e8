package e2e

import (
	"fmt"
	"testing"
)

// noWeapon: in a whole look the witness sends to whoever asks and to nobody else, and no more bytes than it got.
// What is counted is what crosses its link, headers and all.
func noWeapon(t *testing.T) {
	h := watchedHome(t)
	w := h.outside(t, "witness")
	invite := w.invite(t)
	rules := w.Rules(t, fmt.Sprintf(`
		counter got4 { }
		counter got6 { }
		counter sent4 { }
		counter sent6 { }
		counter strangers { }
		chain in {
			type filter hook input priority filter
			ip saddr %[1]s counter name got4
			ip6 saddr %[2]s counter name got6
		}
		chain out {
			type filter hook output priority filter
			ip daddr %[1]s counter name sent4 return
			ip6 daddr %[3]s counter name sent6 return
			oifname "eth0" meta l4proto ipv6-icmp icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit, mld2-listener-report } return
			oifname "eth0" counter name strangers
		}`, h.Public4, h.LAN6, h.LAN6))
	h.trust(t, invite)
	h.check(t)
	for _, family := range []string{"4", "6"} {
		_, got := rules.Counted(t, "got"+family)
		_, sent := rules.Counted(t, "sent"+family)
		t.Logf("IPv%s: %d bytes came in and %d went out", family, got, sent)
		if got == 0 || sent > got {
			t.Errorf("IPv%s: %d bytes came in and %d went out", family, got, sent)
		}
	}
	if packets, bytes := rules.Counted(t, "strangers"); packets > 0 {
		t.Errorf("%d packets, %d bytes went to somebody who had not asked", packets, bytes)
	}
}

// rationed: six looks an hour, and then the witness does not send a single SYN more, whoever asks; what it saw before counts on.
// Every port is refused here, so that a look is soon over.
func rationed(t *testing.T) {
	h := watchedHome(t)
	h.RouterRules(t, `
		chain to { type filter hook input priority -10; iifname "wan" tcp flags & (syn | ack) == syn reject with tcp reset; }
		chain past { type filter hook forward priority -10; iifname "wan" tcp flags & (syn | ack) == syn reject with tcp reset; }`)
	w := h.outside(t, "witness")
	h.trust(t, w.invite(t))
	for i := range 6 {
		if exit, v := h.check(t); exit != exitClosed {
			t.Fatalf("look %d: exit %d, closed was expected: %v", i+1, exit, v)
		}
	}
	four, _ := w.syns.Counted(t, "four")
	six, _ := w.syns.Counted(t, "six")
	exit, v := h.check(t)
	if exit != exitClosed {
		t.Errorf("the seventh look: exit %d, closed as before was expected: %v", exit, v)
	}
	if then, _ := w.syns.Counted(t, "four"); then != four || four == 0 {
		t.Errorf("%d SYNs over IPv4 in six looks, %d after the seventh", four, then)
	}
	if then, _ := w.syns.Counted(t, "six"); then != six || six == 0 {
		t.Errorf("%d SYNs over IPv6 in six looks, %d after the seventh", six, then)
	}
}
