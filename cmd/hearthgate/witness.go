package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/hearthgate/hearthgate/health/witness"
)

func witnessCommand() command {
	return command{
		name: "witness", args: "[--listen ADDR] [--control ADDR|off] [--also-port N]... [--state-dir DIR]",
		summary: "look at other homes from outside, for those who were invited", run: (*program).witness,
		sub: []command{
			{
				name: "invite", args: "NAME [--address HOST[:PORT]]... [--state-dir DIR]",
				summary: "let a home ask this witness: prints one line to paste there", run: (*program).witnessInvite,
			},
			{name: "list", args: "[--json] [--state-dir DIR]", summary: "which homes may ask", run: (*program).witnessList},
			{name: "revoke", args: "NAME [--state-dir DIR]", summary: "end an invite", run: (*program).witnessRevoke},
		},
	}
}

func (p *program) witness(ctx context.Context, args []string) error {
	fs := p.flags("witness [flags]")
	c := witness.Config{}
	var also []uint
	fs.StringVar(&c.Listen, "listen", ":"+strconv.Itoa(witness.AskPort), "[ADDRESS]:PORT where homes ask")
	fs.StringVar(&c.Control, "control", ":"+strconv.Itoa(witness.ControlPort), "[ADDRESS]:PORT that a phone's browser tries, or off")
	fs.UintSliceVar(&also, "also-port", nil, "a port that may be looked at besides the fixed list; may be repeated")
	logFormat := fs.String("log-format", "text", "text or json")
	logLevel := fs.String("log-level", "info", "debug, info, warn or error")
	dir := p.witnessDir(fs)
	if _, err := p.parse(fs, args); err != nil {
		return err
	}
	if err := p.readEnvironment(fs); err != nil {
		return err
	}
	for _, port := range also {
		if port == 0 || port > 65535 {
			return badUsage("--also-port is %d; expected 1 to 65535", port)
		}
		c.Also = append(c.Also, uint16(port))
	}
	if err := cmp.Or(checkListen("--listen", c.Listen, witness.AskPort), checkControl(c.Control)); err != nil {
		return unchanged(err)
	}
	var err error
	if c.Log, err = p.logger(*logFormat, *logLevel); err != nil {
		return err
	}
	if c.Book, err = p.book(*dir); err != nil {
		return err
	}
	c.Ready = func(ask, control netip.AddrPort) { p.witnessReady(c.Book, ask, control) }
	return cannotListen(witness.New(c).Run(ctx))
}

// cannotListen adds what to do when a port is not to be had.
func cannotListen(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w; another program has that port: end it, or choose another with --listen or --control", err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("%w; ports below 1024 are root's: choose another with --listen or --control", err)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("%w; this machine has no such address: choose another with --listen or --control", err)
	default:
		return err
	}
}

func checkControl(s string) error {
	if s == "off" {
		return nil
	}
	return checkListen("--control", s, witness.ControlPort)
}

func checkListen(flag, s string, usual int) error {
	host, port, ok := cutLast(s, ":")
	if _, err := strconv.ParseUint(port, 10, 16); !ok || err != nil {
		return badUsage("%s is %q; expected [ADDRESS]:PORT, like :%d", flag, s, usual)
	}
	if host = strings.Trim(host, "[]"); host == "" {
		return nil
	}
	if _, err := netip.ParseAddr(host); err != nil {
		return badUsage("%s is %q; %q is not an address of this machine", flag, s, host)
	}
	return nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// witnessReady says in plain lines where the witness listens, and how to invite.
func (p *program) witnessReady(b *witness.Book, ask, control netip.AddrPort) {
	key, err := b.Key()
	if err != nil {
		key = err.Error()
	}
	var out strings.Builder
	fmt.Fprintf(&out, "Hearthgate %s, a witness\n", version)
	fmt.Fprintf(&out, "  Homes ask      TCP port %d, which must be reachable from the internet\n", ask.Port())
	if control.IsValid() {
		fmt.Fprintf(&out, "  Phones try     TCP port %d\n", control.Port())
	}
	fmt.Fprintf(&out, "  Addresses      %s\n", globalWords())
	fmt.Fprintf(&out, "  Key            %s\n", key)
	fmt.Fprintf(&out, "  State          %s\n", b.Dir())
	fmt.Fprintf(&out, "  Next           in another terminal: %s witness invite \"Anna's home\"%s\n", p.name, p.witnessHint(b))
	_, _ = io.WriteString(p.stdout, out.String())
}

func globalWords() string {
	var words []string
	for _, a := range witness.Global() {
		words = append(words, a.String())
	}
	if len(words) == 0 {
		return "none of the internet here; name the router's with `witness invite --address HOST`, and forward the ports"
	}
	return strings.Join(words, ", ")
}

// witnessHint is the flag that the other subcommands need when they would not find the book by themselves.
func (p *program) witnessHint(b *witness.Book) string {
	if usual, err := p.book(""); err == nil && usual.Dir() == b.Dir() {
		return ""
	}
	return " --state-dir " + b.Dir()
}

func (p *program) witnessDir(fs *pflag.FlagSet) *string {
	return fs.String("state-dir", "", "the witness's directory (default "+p.defaultWitnessDir()+")")
}

func (p *program) book(dir string) (*witness.Book, error) {
	if dir == "" {
		dir = p.getenv("HEARTHGATE_STATE_DIR")
	}
	if dir == "" {
		dir = p.defaultWitnessDir()
	}
	if dir == "" {
		return nil, badUsage("no state directory: HOME is not set; name one with --state-dir")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("finding the state directory: %w", err)
	}
	// A home's own state is another thing, and what is in it is nobody's but the home's.
	if _, err := os.Lstat(filepath.Join(dir, "hearthgate.db")); err == nil {
		return nil, fmt.Errorf("%s is the state directory of an appliance; a witness needs its own, named with --state-dir", dir)
	}
	return witness.NewBook(dir), nil
}

// defaultWitnessDir is the witness's directory when neither flag nor environment names one: a place of its own, because the same
// machine may be an appliance, too.
func (p *program) defaultWitnessDir() string {
	if p.getenv("STATE_DIRECTORY") != "" {
		return p.defaultStateDir() // systemd's, for this very service
	}
	if dir := p.defaultStateDir(); dir != "" {
		return dir + "-witness"
	}
	return ""
}
