//go:build !linux

package lab

import (
	"errors"
	"runtime"
)

// startInside has nothing to start elsewhere: only Linux has these namespaces.
func startInside() (int, error) {
	return 0, errors.New(runtime.GOOS + " has no network namespaces")
}

func moveIn() bool { return false }

func enterHost(*Host) error {
	return errors.New(runtime.GOOS + " has no network namespaces")
}

func (h *Host) isolate() {}

func openTUN() error {
	return errors.New(runtime.GOOS + " has no /dev/net/tun")
}

// onMainThread is a worry of Linux only, where the first thread stands for the process in /proc.
func onMainThread() bool { return false }
