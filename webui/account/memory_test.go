package account

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
)

// BenchmarkMemory measures what a flood of passphrases does to the process: resident memory at most and afterwards, with
// the daemon's memory limit and as much on the heap beside it as an idle daemon has.
func BenchmarkMemory(b *testing.B) {
	for name, freeing := range map[string]bool{"collector": false, "freed": true} {
		b.Run(name, func(b *testing.B) {
			defer debug.SetMemoryLimit(debug.SetMemoryLimit(48 << 20))
			beside := make([][]byte, 8<<10)
			for i := range beside {
				beside[i] = bytes.Repeat([]byte{1}, 1<<10) // written to, or the system would not count it
			}
			debug.FreeOSMemory()
			h, most := newHasher(), 0
			for b.Loop() {
				hash := func() error { hashPassphrase("four words of mine"); most = max(most, resident(b)); return nil }
				if freeing {
					if err := h.do(b.Context(), true, hash); err != nil {
						b.Fatal(err)
					}
				} else {
					_ = hash()
				}
			}
			b.ReportMetric(float64(most)/1024, "MiB-most")
			b.ReportMetric(float64(resident(b))/1024, "MiB-after")
			runtime.KeepAlive(beside)
		})
	}
}

func resident(tb testing.TB) int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Skip("no /proc here")
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	n, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		tb.Fatal(err)
	}
	return n
}
