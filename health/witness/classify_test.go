package witness

import (
	"context"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/hearthgate/hearthgate/health"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", err)}
	}
	for _, c := range []struct {
		err    error
		routed bool
		want   outcome
	}{
		{dial(syscall.ECONNREFUSED), true, refused},
		{dial(syscall.EHOSTUNREACH), true, rejected},
		{dial(syscall.EHOSTUNREACH), false, broken},
		{dial(syscall.ENETUNREACH), true, rejected},
		{dial(syscall.ENETUNREACH), false, broken},
		{dial(syscall.EACCES), true, rejected},
		{dial(syscall.EACCES), false, forbidden},
		{dial(syscall.EPERM), true, forbidden},
		{dial(syscall.ETIMEDOUT), true, silence},
		{dial(syscall.EMFILE), true, broken},
		{dial(syscall.EADDRNOTAVAIL), true, broken},
		{context.DeadlineExceeded, true, silence},
		{fmt.Errorf("dialling: %w", os.ErrDeadlineExceeded), true, silence},
		{errSpent, true, broken},
	} {
		if got := classify(c.err, func() bool { return c.routed }); got != c.want {
			t.Errorf("%v, routed %t: %d, want %d", c.err, c.routed, got, c.want)
		}
	}
}

func TestAnErrorOnTheWaySaysMoreThanSilence(t *testing.T) {
	t.Parallel()
	for _, outcomes := range [][]outcome{{silence, rejected, silence}, {rejected, silence, silence}} {
		var tr try
		for _, o := range outcomes {
			tr.note(o, 0)
		}
		if tr.State != health.PortFiltered || tr.Why != health.Rejected {
			t.Errorf("%v is %s, %s", outcomes, tr.State, tr.Why)
		}
	}
	var tr try
	tr.note(silence, 0)
	tr.note(forbidden, 0)
	if !tr.local {
		t.Error("this machine's own rule is forgotten")
	}
}
