package lab

import (
	"errors"
	"runtime"
)

// Do calls fn on a thread that stands on the host: sockets that it opens, processes that it starts, files of /run that
// it reads are the host's, and stay so after fn has returned.
//
// Its limits: what fn starts as a goroutine runs elsewhere, on the tests' own network. The working directory is "/".
// /proc/self, /proc/net and what reads them speak of the process; the thread is /proc/thread-self. /proc/sys is right.
// t.Fatal is for the test's own goroutine, so fn returns an error instead.
func (h *Host) Do(fn func() error) error {
	done := make(chan error, 1)
	go onOwnThread(func() {
		err := errors.New("the function left by runtime.Goexit")
		defer func() { done <- err }()
		if err = enterHost(h); err == nil {
			err = fn()
		}
	})
	return <-done
}

// onOwnThread calls fn on a thread that ends with it: a goroutine that ends locked takes its thread along
// (runtime.LockOSThread). The main thread cannot end and would show the host's namespaces as the process's own, so when
// this goroutine happens to be on it, it stays there while another one does the work.
func onOwnThread(fn func()) {
	runtime.LockOSThread()
	if !onMainThread() {
		fn()
		return
	}
	defer runtime.UnlockOSThread()
	done := make(chan struct{})
	go func() {
		defer close(done)
		onOwnThread(fn)
	}()
	<-done
}
