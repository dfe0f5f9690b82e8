package gate

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// explain says in a sentence for the household why a target could not be dialled.
func explain(target string, err error) string {
	var refused refusal
	var dns *net.DNSError
	var timeout net.Error
	host, _, _ := net.SplitHostPort(target)
	switch {
	case errors.As(err, &refused):
		if refused.addr.Addr().String() == host {
			return refused.Error()
		}
		return fmt.Sprintf("%s leads to %s, and that %s", target, refused.addr, refused.reason)
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("the name %s is not known", dns.Name)
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s could not be looked up", dns.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Sprintf("nothing listens at %s", target)
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.EHOSTDOWN):
		return fmt.Sprintf("the machine of %s does not answer", target)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("there is no way to %s from here", target)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM):
		return fmt.Sprintf("this machine does not let us connect to %s", target)
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "this machine has no room for more connections"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("%s did not answer within %s", target, dialTimeout)
	}
	return fmt.Sprintf("%s could not be reached", target)
}
