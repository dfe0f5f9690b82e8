//go:build !linux

package clock

import (
	"errors"
	"time"
)

// Uptime is how long the machine has been on; it is known on Linux only.
func Uptime() (time.Duration, error) {
	return 0, errors.New("asking how long this machine has been on: not supported on this operating system")
}
