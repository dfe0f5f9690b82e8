package clock

import "golang.org/x/sys/unix"

// From <linux/timex.h>; x/sys has neither.
const (
	timeError = 5      // TIME_ERROR: the clock is not synchronised, adjtimex(2)
	staUnsync = 0x0040 // STA_UNSYNC
)

// synchronised asks the kernel, which knows from whoever sets the clock (chrony, ntpd, systemd-timesyncd): it takes its
// word back when none has spoken for some hours. Reading needs no privilege (adjtimex(2)). Where the call is forbidden,
// as in some containers, nobody vouches for the clock.
func synchronised() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && vouched(state, t.Status)
}

func vouched(state int, status int32) bool {
	return state != timeError && status&staUnsync == 0
}
