package gate

import (
	"errors"
	"syscall"
)

// readWhenReady reads once from a socket. It waits without a buffer and takes one from the pool when there is something to
// read; the caller gives it back. n is 0 at the end of a stream.
func readWhenReady(c syscall.RawConn, from *pool) (chunk *[]byte, n int, err error) {
	chunk = from.get()
	waitErr := c.Read(func(fd uintptr) bool {
		if chunk == nil {
			chunk = from.get()
		}
		n, err = retry(func() (int, error) { return syscall.Read(int(fd), *chunk) })
		if errors.Is(err, syscall.EAGAIN) {
			from.put(chunk)
			chunk = nil
			return false
		}
		return true
	})
	if waitErr != nil {
		err = waitErr
	}
	return chunk, max(n, 0), err
}

// writeAtOnce writes a datagram if the socket takes it now.
func writeAtOnce(c syscall.RawConn, b []byte) (err error) {
	waitErr := c.Write(func(fd uintptr) bool {
		_, err = retry(func() (int, error) { return syscall.Write(int(fd), b) })
		return true
	})
	if waitErr != nil {
		err = waitErr
	}
	return err
}

// retry repeats a system call that a signal has interrupted.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, syscall.EINTR) {
			return n, err
		}
	}
}
