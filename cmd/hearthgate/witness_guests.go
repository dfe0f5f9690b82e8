package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/health/witness"
)

// What a witness's owner types about guests. All of it works on the witness's directory, whether one runs or not.

func (p *program) witnessInvite(_ context.Context, args []string) error {
	fs := p.flags("witness invite NAME [flags]")
	addresses := fs.StringArray("address", nil, "HOST[:PORT] at which this witness is reached; may be repeated (default this machine's own)")
	dir := p.witnessDir(fs)
	words, err := p.parse(fs, args, "NAME")
	if err != nil {
		return err
	}
	b, err := p.book(*dir)
	if err != nil {
		return err
	}
	list := *addresses
	for i, a := range list {
		if list[i], err = witness.Address(a, b.Listens().Ask); err != nil {
			return badUsage("--address: %v; nothing was changed", err)
		}
	}
	if len(list) == 0 {
		if list = witness.GlobalAt(b.Listens().Ask); len(list) == 0 {
			return errors.New("this machine has no address of the internet; say with --address HOST where homes reach it; nothing was changed")
		}
	}
	invite, err := b.Invite(words[0], list, time.Now())
	if err != nil {
		return unchanged(err)
	}
	if _, err := fmt.Fprintln(p.stdout, invite.Line()); err != nil {
		return err
	}
	fmt.Fprintf(p.stderr, "This line is a key: hand it to that home only. It leads to %s. It is shown once.\n", strings.Join(list, ", "))
	fmt.Fprintf(p.stderr, "There: paste it on the page, or type: hearthgate vantage witness, and paste it then.\n")
	return nil
}

func (p *program) witnessList(_ context.Context, args []string) error {
	fs := p.flags("witness list [--json]")
	asJSON := fs.Bool("json", false, "print JSON")
	dir := p.witnessDir(fs)
	if _, err := p.parse(fs, args); err != nil {
		return err
	}
	b, err := p.book(*dir)
	if err != nil {
		return err
	}
	guests, err := b.Guests()
	if err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(guests)
	}
	if len(guests) == 0 {
		_, err := fmt.Fprintf(p.stdout, "Nobody is invited yet. Invite the first home: %s witness invite \"Anna's home\"\n", p.name)
		return err
	}
	t := p.table()
	fmt.Fprintln(t, "NAME\tINVITED")
	for _, g := range guests {
		fmt.Fprintf(t, "%s\t%s\n", g.Name, g.Invited.Local().Format("2006-01-02 15:04"))
	}
	return t.Flush()
}

func (p *program) witnessRevoke(_ context.Context, args []string) error {
	fs := p.flags("witness revoke NAME [--state-dir DIR]")
	dir := p.witnessDir(fs)
	words, err := p.parse(fs, args, "NAME")
	if err != nil {
		return err
	}
	b, err := p.book(*dir)
	if err != nil {
		return err
	}
	if err := b.Revoke(words[0]); err != nil {
		return unchanged(err)
	}
	_, err = fmt.Fprintf(p.stdout, "%s may not ask any more.\n", words[0])
	return err
}
