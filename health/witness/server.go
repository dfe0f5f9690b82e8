package witness

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Server is a witness.
type Server struct {
	cfg    Config
	budget *budget
	dial   dialFunc // for tests, which count what it does
	send   sendFunc
	counts counts
	places *places
}

// New makes a witness that does not listen yet.
func New(c Config) *Server {
	c = c.whole()
	return &Server{
		cfg: c, budget: newBudget(c.Limits, c.Now), dial: dialFresh, send: sendDatagram, places: newPlaces(c.Limits),
	}
}

// Run answers, until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	key, err := s.cfg.Book.key()
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	ask, err := lc.Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return fmt.Errorf("listening for guests: %w", err)
	}
	defer ask.Close()
	control, err := s.listenControl(ctx)
	if err != nil {
		return err
	}
	at := Listens{Ask: addrPort(ask).Port()}
	if control != nil {
		defer control.Close()
		at.Control = addrPort(control).Port()
	}
	if err := s.cfg.Book.setListens(at); err != nil {
		return fmt.Errorf("noting where the witness listens: %w", err)
	}
	s.cfg.Ready(addrPort(ask), addrPort(control))
	return together(ctx,
		func(ctx context.Context) error { return s.accept(ctx, ask, key) },
		func(ctx context.Context) error { return s.serveControl(ctx, control) },
		s.count,
	)
}

// together runs tasks until ctx ends or the first of them fails, and waits for all.
func together(ctx context.Context, tasks ...func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(tasks))
	for _, task := range tasks {
		go func() {
			err := task(ctx)
			if err != nil {
				cancel()
			}
			ended <- err
		}()
	}
	var errs error
	for range tasks {
		errs = errors.Join(errs, <-ended)
	}
	return errs
}

func (s *Server) listenControl(ctx context.Context) (net.Listener, error) {
	if s.cfg.Control == "off" {
		return nil, nil //nolint:nilnil // none is wanted
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", s.cfg.Control)
	if err != nil {
		return nil, fmt.Errorf("listening for browsers: %w", err)
	}
	return l, nil
}

func addrPort(l net.Listener) netip.AddrPort {
	if l == nil {
		return netip.AddrPort{}
	}
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	return a.AddrPort()
}

// accept takes connections, as many as may be, and closes the others without a word.
func (s *Server) accept(ctx context.Context, l net.Listener, key seed) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	for {
		conn, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("listening for guests: %w", err)
		case err != nil: // out of files, perhaps; it passes
			if pause(ctx, 100*time.Millisecond) != nil {
				return nil
			}
			continue
		}
		at, ok := s.places.enter(conn)
		if !ok {
			_ = conn.Close()
			continue
		}
		running.Go(func() {
			defer at.leave()
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			s.serve(ctx, conn, at, key)
		})
	}
}

// pause waits, or returns why it could not.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
