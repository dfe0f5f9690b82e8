package clock

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// Uptime is how long the machine has been on, sleep included (CLOCK_BOOTTIME, clock_gettime(2)). No clock that is set moves it.
func Uptime() (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0, fmt.Errorf("asking how long this machine has been on: %w", err)
	}
	return time.Duration(ts.Nano()), nil
}
