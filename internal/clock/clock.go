// Package clock says what time it is and how far to believe it. A Pi has no battery for its clock: after a power cycle it
// stands at 1970, or where it stood when it was switched off, until the network sets it; and nothing that is made to
// expire may come back to life because of that, or die because the clock was wrong the other way.
//
// A Clock gives the time and says whether somebody vouches for it. A Mark is the latest moment that a synchronised clock
// has shown, kept in the store; Effective is the later of the clock and the mark, and the mark counts on with the time
// that this process has run. What has expired by Effective gets no access. It may be recorded as expired for good only
// while Synchronised: so a clock that jumps to 2099 denies, for as long as it is wrong, and destroys nothing.
//
// The mark never moves back, and never moves by a clock that nobody vouches for.
package clock

import "time"

// Clock is the machine's clock, or a test's.
type Clock interface {
	Now() time.Time
	// Synchronised says whether something keeps the clock right, such as NTP.
	Synchronised() bool
}

// System is the machine's clock.
func System() Clock { return system{} }

type system struct{}

func (system) Now() time.Time     { return time.Now() }
func (system) Synchronised() bool { return synchronised() }
