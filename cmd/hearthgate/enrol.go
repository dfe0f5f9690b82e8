package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/pflag"

	"github.com/hearthgate/hearthgate/internal/journal"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/api"
)

// show is how an enrolment is to be shown.
type show struct {
	qr, conf, json bool
	out            string
	terminal       bool
}

func (p *program) showFlags(fs *pflag.FlagSet) *show {
	s := &show{terminal: p.terminal}
	fs.BoolVar(&s.qr, "qr", false, "print a QR code (what happens on a terminal anyway)")
	fs.BoolVar(&s.conf, "conf", false, "print the config as text (what happens when the output is redirected)")
	fs.BoolVar(&s.json, "json", false, "print JSON")
	fs.StringVar(&s.out, "out", "", "write the config into a new file that only you can read")
	return s
}

// check settles what to print before anything is changed. ownKey: the phone's private key is not ours to show.
func (s *show) check(ownKey bool) error {
	chosen := 0
	for _, c := range []bool{s.qr, s.conf, s.json} {
		if c {
			chosen++
		}
	}
	if chosen > 1 {
		return badUsage("choose one of --qr, --conf and --json; nothing was changed")
	}
	if s.qr && ownKey {
		return badUsage("with --public-key there is no code to scan, because the private key is not here; use --conf; nothing was changed")
	}
	if chosen == 0 && s.out == "" {
		s.qr = s.terminal && !ownKey
		s.conf = !s.qr
	}
	if s.out == "" {
		return nil
	}
	if _, err := os.Lstat(s.out); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			return fmt.Errorf("%q is already there; name a new file; nothing was changed", s.out)
		}
		return fmt.Errorf("looking at %q: %w; nothing was changed", s.out, err)
	}
	return nil
}

// enrol makes an enrolment, shows it, and on a terminal waits for the phone.
func (p *program) enrol(ctx context.Context, connect connectFunc, s *show,
	change func(*api.Client) (api.Enrolment, error),
) error {
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	// The file is opened first: a config that could not be written would be a phone that nobody can connect.
	file, err := openOut(s.out)
	if err != nil {
		return err
	}
	e, err := change(c)
	if err != nil {
		if file != nil {
			file.Close()
			os.Remove(s.out)
		}
		return err
	}
	if file != nil {
		if err := writeOut(file, e.Config); err != nil {
			return fmt.Errorf("writing %q: %w; the keys of %s are made, and `hearthgate peer rekey` makes a new config", s.out, err, e.Peer.Name)
		}
	}
	if err := p.showEnrolment(e, s); err != nil {
		return err
	}
	if !s.qr || !s.terminal || s.out != "" {
		return nil
	}
	return p.wait(ctx, c, e)
}

func openOut(path string) (*os.File, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making %q: %w; nothing was changed", path, err)
	}
	return file, nil
}

func writeOut(file *os.File, config string) error {
	_, err := io.WriteString(file, config)
	return errors.Join(err, file.Sync(), file.Close())
}

// showEnrolment prints what was asked for on standard output. What a person should know besides goes to standard error
// unless the output is for a person anyway.
func (p *program) showEnrolment(e api.Enrolment, s *show) error {
	if s.json {
		return p.printJSON(e)
	}
	person := p.stderr
	if s.qr {
		person = p.stdout
		code, err := peers.TerminalQR(e.Config)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(p.stdout, "\n%s\n", code); err != nil {
			return err
		}
		fmt.Fprintf(person, "In the WireGuard app: + > Create from QR code (iPhone) or Scan from QR code (Android).\n"+
			"Name it home and turn it on. Then open %s on the phone.\n"+
			"Whoever scans this code can come in as %s: show it to nobody else. It is shown only this once.\n", e.URL, e.Peer.Name)
	}
	if s.conf {
		if _, err := io.WriteString(p.stdout, e.Config); err != nil {
			return err
		}
	}
	if s.out != "" {
		fmt.Fprintf(person, "The config of %s is in %s.\n", e.Peer.Name, s.out)
	}
	for _, note := range e.Notes {
		fmt.Fprintln(person, "Note: "+note)
	}
	for _, warning := range e.Warnings {
		fmt.Fprintln(person, "Warning: "+warning)
	}
	return nil
}

// patience is how long `peer add` waits for the phone. The phone stays added either way.
const patience = 15 * time.Minute

// wait says when the phone's first handshake arrives.
func (p *program) wait(ctx context.Context, c *api.Client, e api.Enrolment) error {
	fmt.Fprintf(p.stdout, "\nWaiting for %s ... (Ctrl-C stops the waiting; the phone stays added)\n", e.Peer.Name)
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	done, removed := false, false
	err := c.Events(ctx, e.EventSeq, func(event journal.Event) bool {
		if event.PeerID != e.Peer.ID {
			return true
		}
		done = event.Type == journal.PeerFirstHandshake && event.Data["public_key"] == e.Peer.PublicKey
		removed = event.Type == journal.PeerRemoved
		return !done && !removed
	})
	switch {
	case done:
		_, err = fmt.Fprintf(p.stdout, "Connected: %s reached your home. Open %s on the phone.\n", e.Peer.Name, e.URL)
		return err
	case removed:
		return fmt.Errorf("%s was removed while waiting for it", e.Peer.Name)
	case errors.Is(err, context.DeadlineExceeded):
		_, err = fmt.Fprintf(p.stdout, "%s has not connected within %s. It stays added; `hearthgate peer rekey` shows a new code.\n",
			e.Peer.Name, plural(int(patience.Minutes()), "minute"))
		return err
	case errors.Is(err, context.Canceled):
		_, err = fmt.Fprintf(p.stdout, "\nStopped waiting. %s stays added.\n", e.Peer.Name)
		return err
	default:
		return fmt.Errorf("%w; %s stays added, and `hearthgate peer list` shows whether it has come in", err, e.Peer.Name)
	}
}
