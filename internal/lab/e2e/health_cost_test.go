package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// processorTime is what a process has used (proc(5): utime and stime of /proc/PID/stat, in ticks of 10 ms).
func processorTime(t testing.TB, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name before may hold anything
	fields := strings.Fields(rest)
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		t.Fatal(err)
	}
	system, err := strconv.Atoi(fields[12])
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(user+system) * 10 * time.Millisecond
}

// cheap: a round costs less than a second of one processor, and does not take more than 5 MiB. The first pays for what stays.
func cheap(t *testing.T) {
	h := watchedHome(t)
	w := h.outside(t, "witness")
	start, anonymous := h.memory(t), h.anonymous(t)
	h.trust(t, w.invite(t))
	h.check(t)
	before, cpu, witness := h.memory(t), processorTime(t, h.daemon.PID()), processorTime(t, w.process.PID())
	t.Logf("before the first round %v, after it %v, with %v of processor time altogether", start, before, cpu)
	t.Logf("of which memory of its own: %.1f MiB before the first round, %.1f after", mebibytes(anonymous), mebibytes(h.anonymous(t)))
	const rounds = 3
	for range rounds {
		h.check(t)
		t.Logf("after another round: %v, of which memory of its own %.1f MiB", h.memory(t), mebibytes(h.anonymous(t)))
	}
	after := h.memory(t)
	cpu, witness = (processorTime(t, h.daemon.PID())-cpu)/rounds, (processorTime(t, w.process.PID())-witness)/rounds
	t.Logf("a round costs the appliance %v and the witness %v of processor time; the peak of memory grew by %.1f MiB in %d rounds",
		cpu, witness, mebibytes(after.peak-before.peak), rounds)
	if cpu > time.Second {
		t.Errorf("a round costs %v of processor time, more than a second", cpu)
	}
	if grown := (after.peak - before.peak) / rounds; grown > 5<<20 {
		t.Errorf("a round takes %.1f MiB more than there ever was before", mebibytes(grown))
	}
}

// anonymous is what a process has besides the parts of its program that were ever used (proc(5): RssAnon).
func (h *home) anonymous(t testing.TB) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", h.daemon.PID()))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "RssAnon:")
	kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

func (m memory) String() string {
	return fmt.Sprintf("%.1f MiB resident, %.1f at the peak", mebibytes(m.resident), mebibytes(m.peak))
}

func mebibytes(n int64) float64 { return float64(n) / (1 << 20) }
