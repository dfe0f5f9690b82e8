package clock

import (
	"testing"
	"time"
)

func TestVouched(t *testing.T) {
	const timeOK, timeInsert, staPLL = 0, 1, 0x0001 // <linux/timex.h>
	for _, c := range []struct {
		state  int
		status int32
		want   bool
	}{
		{timeOK, staPLL, true},
		{timeOK, 0, true},
		{timeInsert, staPLL, true}, // a leap second is due
		{timeError, staUnsync, false},
		{timeError, staPLL, false},
		{timeOK, staPLL | staUnsync, false},
	} {
		if got := vouched(c.state, c.status); got != c.want {
			t.Errorf("state %d, status %#x: %v", c.state, c.status, got)
		}
	}
}

func TestSystemIsTheMachinesClock(t *testing.T) {
	before := time.Now()
	now := System().Now()
	if now.Before(before) || now.Sub(before) > time.Minute {
		t.Errorf("it shows %v at %v", now, before)
	}
	_ = System().Synchronised() // either; it must not need a privilege or crash
}
