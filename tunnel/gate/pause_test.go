package gate

import "time"

// pause lets other goroutines, and the kernel's loopback, go on for a moment. It is for watching that something does not
// happen; what should happen is waited for.
func pause() { time.Sleep(5 * time.Millisecond) }
