package lab

import (
	"bytes"
	"sync"
)

// output is what a process wrote so far, safe to read while it writes more.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// tail is the end of a text, of the size that a person reads in a failed test.
func tail(text string) string {
	const enough = 16 << 10
	if len(text) <= enough {
		return text
	}
	return "... " + text[len(text)-enough:]
}
