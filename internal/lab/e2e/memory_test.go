package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// memory is what the kernel counts of the appliance, in bytes (proc(5): VmRSS and VmHWM).
type memory struct{ resident, peak int64 }

func (h *home) memory(t testing.TB) (m memory) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.daemon.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kib, _ := strconv.ParseInt(fields[1], 10, 64) // other lines hold no number, and are not used
		switch fields[0] {
		case "VmRSS:":
			m.resident = kib << 10
		case "VmHWM:":
			m.peak = kib << 10
		}
	}
	if m.resident == 0 {
		t.Fatalf("no memory in the status of process %d:\n%s", h.daemon.PID(), text)
	}
	return m
}
