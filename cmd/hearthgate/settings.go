package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	// BurntSushi/toml: small, without dependencies, and it keeps the order of what it could not place.
	"github.com/BurntSushi/toml"
	// pflag: flags may stand before and after the words, as people type them; the standard library stops at the first.
	"github.com/spf13/pflag"

	"github.com/hearthgate/hearthgate/internal/homeassistant"
	"github.com/hearthgate/hearthgate/peers"
	"github.com/hearthgate/hearthgate/webui/access"
)

// given holds the settings of `run` as people write them; settings is what they mean once checked.
type given struct {
	stateDir, homeAssistant, endpoint, web, webName, claimWindow, socket, logFormat, logLevel string
	listenPort                                                                                uint16
}

type settings struct {
	stateDir      string
	socket        string
	homeAssistant string // as given; empty: find it
	endpoint      string // host:port, or empty
	listenPort    uint16
	web           *access.Place // where the page listens; nil: there is no page
	webNames      []string      // by which browsers may ask for it, besides our own
	claimWindow   time.Duration // after power-on, in which the page may be claimed without a code; 0: it needs one
	reset         string        // the command that makes a new passphrase, as it is typed on this machine
	logger        *slog.Logger
}

const settingsFile = "hearthgate.toml"

func (p *program) runFlags(g *given) *pflag.FlagSet {
	fs := p.flags("run [flags]")
	fs.SortFlags = false
	fs.StringVar(&g.stateDir, "state-dir", "", "directory for everything durable (default "+p.defaultStateDir()+")")
	fs.StringVar(&g.homeAssistant, "home-assistant", "", "Home Assistant's URL; without it, it is found")
	fs.StringVar(&g.endpoint, "endpoint", "", "HOST[:PORT] at which phones find this machine from outside")
	fs.Uint16Var(&g.listenPort, "listen-port", 51820, "UDP port of the tunnel; 0 lets the system choose")
	fs.StringVar(&g.web, "web", ":51821", "[ADDRESS or LINK]:PORT of the page on the LAN, like eth0:51821")
	fs.StringVar(&g.webName, "web-name", "", "NAME[,NAME] by which browsers may ask for the page, besides its addresses")
	fs.StringVar(&g.claimWindow, "claim-window", "0", "how long after power-on the page is set up without a code, like 15m")
	fs.StringVar(&g.socket, "socket", "", "path of the control socket")
	fs.StringVar(&g.logFormat, "log-format", "text", "text or json")
	fs.StringVar(&g.logLevel, "log-level", "info", "debug, info, warn or error")
	return fs
}

// readSettings takes each setting from its flag, else from the environment, else from hearthgate.toml in the state
// directory, else its default.
func (p *program) readSettings(args []string) (settings, error) {
	var g given
	flags := p.runFlags(&g)
	if _, err := p.parse(flags, args); err != nil {
		return settings{}, err
	}
	if err := p.readEnvironment(flags); err != nil {
		return settings{}, err
	}
	if g.stateDir == "" {
		g.stateDir = p.defaultStateDir()
	}
	if g.stateDir == "" {
		return settings{}, badUsage("no state directory: HOME is not set; name one with --state-dir")
	}
	dir, err := filepath.Abs(g.stateDir)
	if err != nil {
		return settings{}, fmt.Errorf("finding the state directory: %w", err)
	}
	g.stateDir = dir
	if err := readSettingsFile(flags, filepath.Join(dir, settingsFile)); err != nil {
		return settings{}, err
	}
	return p.check(g)
}

func (p *program) readEnvironment(flags *pflag.FlagSet) error {
	var bad error
	flags.VisitAll(func(f *pflag.Flag) {
		name := "HEARTHGATE_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		value := p.getenv(name)
		if value == "" || f.Changed || bad != nil {
			return
		}
		if err := flags.Set(f.Name, value); err != nil {
			bad = badUsage("environment variable %s is %q: %v", name, value, errors.Unwrap(err))
		}
	})
	return bad
}

// readSettingsFile fills in from the file what neither flag nor environment has set. A file that is not there is fine.
func readSettingsFile(flags *pflag.FlagSet, path string) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the settings: %w", err)
	}
	var keys map[string]any
	if _, err := toml.Decode(string(text), &keys); err != nil {
		return badUsage("reading %s: %v", path, err)
	}
	for name, value := range keys {
		flag := flags.Lookup(strings.ReplaceAll(name, "_", "-"))
		if flag == nil || strings.Contains(name, "-") || flag.Name == "state-dir" {
			return badUsage("reading %s: unknown key %q; known are home_assistant, endpoint, listen_port, web, web_name,"+
				" claim_window, socket, log_format and log_level", path, name)
		}
		if flag.Changed {
			continue
		}
		switch value.(type) {
		case string, int64:
		default:
			return badUsage("reading %s: %s must be a string or a number, not %v", path, name, value)
		}
		if err := flags.Set(flag.Name, fmt.Sprint(value)); err != nil {
			return badUsage("reading %s: %s is %q: %v", path, name, fmt.Sprint(value), errors.Unwrap(err))
		}
	}
	return nil
}

// check turns what was written into what is meant, or says what is wrong with it.
func (p *program) check(g given) (settings, error) {
	s := settings{stateDir: g.stateDir, socket: g.socket, homeAssistant: g.homeAssistant, listenPort: g.listenPort}
	if s.socket == "" {
		s.socket = p.defaultSocket(g.stateDir)
	}
	if g.endpoint != "" {
		port := g.listenPort
		if port == 0 {
			port = 51820
		}
		endpoint, err := peers.ParseEndpoint(g.endpoint, int(port))
		if err != nil {
			return settings{}, badUsage("--endpoint: %v", err)
		}
		s.endpoint = endpoint
	}
	if g.homeAssistant != "" {
		if _, err := homeassistant.ParseAddress(g.homeAssistant); err != nil {
			return settings{}, badUsage("--home-assistant: %v", err)
		}
	}
	s.reset = p.resetCommand(s.socket)
	if err := g.checkWeb(&s); err != nil {
		return settings{}, err
	}
	var err error
	if s.logger, err = p.logger(g.logFormat, g.logLevel); err != nil {
		return settings{}, err
	}
	return s, nil
}

// resetCommand is what whoever has lost the passphrase types on this machine. The page shows it to strangers, so it names no place
// that they need not know.
func (p *program) resetCommand(socket string) string {
	command := p.name
	if filepath.IsAbs(command) {
		command = filepath.Base(command)
	}
	if p.uid == 0 {
		command = "sudo " + command
	}
	command += " reset-passphrase"
	if p.socketHint(socket) != "" {
		command += " --socket PATH"
	}
	return command
}

func (g given) checkWeb(s *settings) error {
	place, err := access.ParsePlace(g.web)
	if err != nil {
		return badUsage("%v", err)
	}
	s.web = &place
	for name := range strings.SplitSeq(g.webName, ",") {
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if err := access.CheckName(name); err != nil {
			return badUsage("--web-name: %v", err)
		}
		s.webNames = append(s.webNames, name)
	}
	s.claimWindow, err = time.ParseDuration(g.claimWindow)
	if err != nil || s.claimWindow < 0 || s.claimWindow > 24*time.Hour {
		return badUsage("--claim-window is %q; expected a time of at most a day, like 15m, or 0 to ask for a code", g.claimWindow)
	}
	return nil
}

func (p *program) logger(format, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil || strings.ContainsAny(level, "+-") {
		return nil, badUsage("--log-level is %q; expected debug, info, warn or error", level)
	}
	options := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(p.stderr, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(p.stderr, options)), nil
	default:
		return nil, badUsage("--log-format is %q; expected text or json", format)
	}
}
