package witness

import (
	"errors"
	"syscall"
)

// isUnreachable tells whether an error means that there is no way to an address, from this machine on.
func isUnreachable(err error) bool {
	return errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)
}
