package clock

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestUptimeIsTheKernels(t *testing.T) {
	before, err := Uptime()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	after, err := Uptime()
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	// /proc/uptime is cut to hundredths.
	kernel := time.Duration(seconds * float64(time.Second))
	if kernel < before-10*time.Millisecond || kernel > after {
		t.Errorf("the kernel says %v, between %v and %v", kernel, before, after)
	}
}
