// Hearthgate is a remote-access appliance for Home Assistant: phones come in over WireGuard and reach Home Assistant and
// nothing else.
//
// This command reads flags, picks a subcommand and sets the exit code. Each subcommand parses, builds the parts and runs
// them; what the parts do is written in their own rooms.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/mattn/go-isatty"
	"github.com/spf13/pflag"
)

// version is set by the linker (see the Makefile).
var version = "unknown"

// Exit codes of every subcommand.
const (
	exitOK      = 0
	exitFailure = 1  // a refusal or a failure
	exitUsage   = 64 // bad usage, EX_USAGE of sysexits(3)
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &program{
		name: os.Args[0], stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv,
		terminal: isatty.IsTerminal(os.Stdout.Fd()), uid: os.Getuid(),
	}
	code := p.main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// program is one invocation: everything that a subcommand takes from the world outside.
type program struct {
	name           string // as it was typed
	stdout, stderr io.Writer
	getenv         func(string) string
	terminal       bool // standard output is a terminal
	uid            int
}

// command is one subcommand. Its run gets the arguments after its name.
type command struct {
	name    string
	args    string // what comes after the name, for the help
	summary string
	run     func(p *program, ctx context.Context, args []string) error
	sub     []command
}

func commands() []command {
	return []command{
		{name: "run", args: "[flags]", summary: "run the appliance", run: (*program).run},
		{name: "demo", args: "", summary: "show all of it in one process, without a network", run: (*program).demo},
		{name: "peer", summary: "the phones that may come in", sub: peerCommands()},
		{name: "service", summary: "what can be reached inside the tunnel", sub: serviceCommands()},
		{name: "home-assistant", summary: "which Home Assistant is meant", sub: homeAssistantCommands()},
		{name: "server", summary: "the server's own key", sub: serverCommands()},
		{name: "check", args: "[--json] [--wait 60s]", summary: "look from outside now: closed (0), exposed (1) or unverified (2)?", run: (*program).checkExposure},
		{name: "vantage", summary: "who looks from outside", sub: vantageCommands()},
		{name: "alert", summary: "who is told when Home Assistant is exposed", sub: alertCommands()},
		{name: "status", args: "[--json]", summary: "the whole appliance at a glance", run: (*program).status},
		{name: "reset-passphrase", args: "", summary: "a new passphrase for the page, when the old one is lost", run: (*program).resetPassphrase},
		witnessCommand(),
		{name: "version", args: "[--json]", summary: "which Hearthgate this is", run: (*program).version},
	}
}

// usageError is bad usage: the person typed something that cannot be meant.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func badUsage(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// main runs one invocation and returns its exit code.
func (p *program) main(ctx context.Context, args []string) int {
	err := p.dispatch(ctx, "", commands(), args)
	var own exitWith
	switch {
	case err == nil || errors.Is(err, pflag.ErrHelp):
		return exitOK
	case errors.As(err, &own):
		if own.err != nil {
			fmt.Fprintln(p.stderr, "hearthgate: "+own.Error())
		}
		return own.code
	case errors.As(err, &usageError{}):
		fmt.Fprintln(p.stderr, "hearthgate: "+err.Error())
		return exitUsage
	default:
		fmt.Fprintln(p.stderr, "hearthgate: "+err.Error())
		return exitFailure
	}
}

// dispatch finds the subcommand that args name. path is what was named so far, with a space behind it.
func (p *program) dispatch(ctx context.Context, path string, list []command, args []string) error {
	if len(args) == 0 {
		p.help(p.stderr, path, list)
		return badUsage("%sneeds a subcommand", path)
	}
	if args[0] == "-h" || args[0] == "--help" || args[0] == "help" {
		p.help(p.stdout, path, list)
		return nil
	}
	for _, c := range list {
		switch {
		case c.name != args[0]:
		case c.sub != nil && (c.run == nil || isWord(args[1:])):
			return p.dispatch(ctx, path+c.name+" ", c.sub, args[1:])
		default:
			return c.run(p, ctx, args[1:])
		}
	}
	return badUsage("unknown subcommand %q; `hearthgate %shelp` lists them", args[0], path)
}

// isWord tells whether the first of args is meant to name a subcommand: it is no flag.
func isWord(args []string) bool { return len(args) > 0 && !strings.HasPrefix(args[0], "-") }

func (p *program) help(w io.Writer, path string, list []command) {
	fmt.Fprintf(w, "usage: hearthgate %sSUBCOMMAND\n\n", path)
	for _, c := range list {
		if c.run != nil {
			fmt.Fprintf(w, "  %s\n      %s\n", joinWords(path+c.name, c.args), c.summary)
		}
		for _, sub := range c.sub {
			fmt.Fprintf(w, "  %s\n      %s\n", joinWords(c.name+" "+sub.name, sub.args), sub.summary)
		}
	}
}

func joinWords(a, b string) string {
	if b == "" {
		return a
	}
	return a + " " + b
}

// flags makes a flag set for a subcommand; usage is its line in the help.
func (p *program) flags(usage string) *pflag.FlagSet {
	fs := pflag.NewFlagSet(usage, pflag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {
		fmt.Fprintf(p.stderr, "usage: hearthgate %s\n\n%s", usage, fs.FlagUsages())
	}
	return fs
}

// parse reads args into fs and checks how many words are left; names are what the words mean.
func (p *program) parse(fs *pflag.FlagSet, args []string, names ...string) ([]string, error) {
	if err := fs.Parse(args); err != nil {
		return nil, flagError(fs, err)
	}
	words := fs.Args()
	if len(words) < len(names) {
		return nil, badUsage("%s is missing; usage: hearthgate %s; nothing was changed", names[len(words)], fs.Name())
	}
	if len(words) > len(names) {
		return nil, badUsage("unexpected %q (put a name with spaces in quotes); usage: hearthgate %s; nothing was changed",
			words[len(names)], fs.Name())
	}
	return words, nil
}

func flagError(fs *pflag.FlagSet, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	return badUsage("%v; usage: hearthgate %s; nothing was changed", err, fs.Name())
}
