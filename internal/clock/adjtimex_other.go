//go:build !linux

package clock

// synchronised is always true: elsewhere Hearthgate runs for development only, on machines whose clocks have batteries.
func synchronised() bool { return true }
