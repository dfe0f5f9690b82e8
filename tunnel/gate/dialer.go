package gate

import (
	"context"
	"errors"
	"net"
	"time"
)

// dialTimeout is for the look-up of the name and the connection. Targets are in the same house: within five seconds a lost
// SYN has been sent again twice (after 1 and 3 s, RFC 6298), and an app that waits for longer believes that the tunnel is
// broken, not the service.
const dialTimeout = 5 * time.Second

// dialer makes connections to targets and tells the board how that went.
type dialer struct {
	homeAssistant func() (string, error)
	resolver      *net.Resolver
	guard         guard
	board         *board
}

var errNobodyKnows = errors.New("nobody knows where Home Assistant is")

// dial connects to a service's target, as it is now. ctx ends the attempt, which then says nothing about the target.
func (d *dialer) dial(ctx context.Context, s Service) (net.Conn, error) {
	target, err := d.target(s)
	if err != nil {
		d.board.failed(s, err.Error(), err)
		return nil, err
	}
	until, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	nd := net.Dialer{Resolver: d.resolver, ControlContext: d.guard.control(s.Protocol)}
	c, err := nd.DialContext(until, string(s.Protocol), target)
	switch {
	case ctx.Err() != nil:
		if c != nil {
			_ = c.Close()
		}
		return nil, context.Cause(ctx)
	case err != nil:
		d.board.failed(s, explain(target, err), err)
		return nil, err
	}
	if s.Protocol == TCP {
		d.board.answered(s) // a UDP socket connects to anything
	}
	return c, nil
}

// target gives HOST:PORT of a service.
func (d *dialer) target(s Service) (string, error) {
	if !s.Builtin {
		return s.Target, nil
	}
	if s.Name != HomeAssistant || d.homeAssistant == nil { // pages are not dialled
		return "", errNobodyKnows
	}
	return d.homeAssistant()
}
