package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/webui/api"
)

// Exit codes of check and doctor.
const (
	exitClosed     = 0
	exitExposed    = 1
	exitUnverified = 2
	exitCouldNot   = 3
)

// exitWith ends the program with a code of its own. With an error it says it first.
type exitWith struct {
	code int
	err  error
}

func (e exitWith) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e exitWith) Unwrap() error { return e.err }

// checked is what check --json prints.
type checked struct {
	api.Exposure
	Complete bool           `json:"complete"` // the round that was asked for has ended
	Seen     []api.Sighting `json:"seen"`
}

// checkExposure runs a round now and reports the verdict.
func (p *program) checkExposure(ctx context.Context, args []string) error {
	fs := p.flags("check [--json] [--wait 60s]")
	connect := p.client(fs)
	asJSON := fs.Bool("json", false, "print JSON")
	wait := fs.Duration("wait", time.Minute, "how long to wait for the round; 0: only tell what is known")
	if _, err := p.parse(fs, args); err != nil {
		return err
	}
	if *wait < 0 {
		return badUsage("--wait is a time like 60s, or 0, not %v; nothing was changed", *wait)
	}
	c, err := connect(ctx)
	if err != nil {
		return exitWith{exitCouldNot, err}
	}
	out, err := p.lookFor(ctx, c, *wait)
	if ctx.Err() != nil {
		err = fmt.Errorf("interrupted; a round that has begun goes on, and `%s check --wait 0` tells what came of it", p.name)
	}
	if err != nil {
		return exitWith{exitCouldNot, err}
	}
	if *asJSON {
		err = p.printJSON(out)
	} else {
		err = p.printCheck(out)
	}
	if err != nil {
		return exitWith{exitCouldNot, err}
	}
	return exitWith{code: out.exitCode()}
}

// exitCode is never that of closed while the round that was asked for goes on.
func (c checked) exitCode() int {
	switch {
	case c.State == api.ExposureExposed:
		return exitExposed
	case c.State == api.ExposureClosed && c.Complete:
		return exitClosed
	default:
		return exitUnverified
	}
}

// lookFor asks for a round, waits for it as long as it may, and gets what came of it.
func (p *program) lookFor(ctx context.Context, c *api.Client, wait time.Duration) (out checked, err error) {
	out.Complete = true
	if wait > 0 {
		if err := c.StartCheck(ctx); err != nil {
			return out, err
		}
		if out.Complete, err = p.await(ctx, c, time.Now().Add(wait)); err != nil {
			return out, err
		}
	}
	if out.Exposure, err = c.Exposure(ctx); err != nil {
		return out, err
	}
	now, err := c.CheckProgress(ctx)
	out.Seen = now.Seen
	return out, err
}

// await waits for the end of the round and shows on a terminal who does what.
func (p *program) await(ctx context.Context, c *api.Client, until time.Time) (ended bool, err error) {
	var shown string
	defer func() { p.progress(&shown, "") }()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for began := time.Now(); ; {
		now, err := c.CheckProgress(ctx)
		if err != nil || !now.Running {
			return true, err
		}
		if !time.Now().Before(until) {
			return false, nil
		}
		var doing []string
		for _, s := range now.Steps {
			if !s.Done {
				doing = append(doing, vantageName(s.Vantage)+": "+s.Text)
			}
		}
		p.progress(&shown, fmt.Sprintf("%2.0f s  %s", time.Since(began).Seconds(), strings.Join(doing, "; ")))
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-tick.C:
		}
	}
}

// progress replaces the line that is shown on a terminal.
func (p *program) progress(shown *string, line string) {
	if !p.terminal {
		return
	}
	const width = 110
	if runes := []rune(line); len(runes) > width {
		line = string(runes[:width-1]) + "…"
	}
	pad := strings.Repeat(" ", max(0, len([]rune(*shown))-len([]rune(line))))
	fmt.Fprint(p.stderr, "\r"+line+pad)
	if line == "" {
		fmt.Fprint(p.stderr, "\r")
	}
	*shown = line
}

var verdictLines = map[api.ExposureState]string{
	api.ExposureClosed:     "CLOSED: Home Assistant cannot be reached from the internet.",
	api.ExposureExposed:    "EXPOSED: Home Assistant can be reached from the internet.",
	api.ExposureUnverified: "UNVERIFIED: whether Home Assistant can be reached from the internet is not known.",
}

func (p *program) printCheck(c checked) error {
	state := c.State
	if state == api.ExposureClosed && !c.Complete {
		state = api.ExposureUnverified
	}
	fmt.Fprintln(p.stdout, verdictLines[state])
	if !c.Complete {
		fmt.Fprintf(p.stdout, "  The round has not ended; `%s check --wait 0` tells later what came of it. Before it was: %s.\n", p.name, c.State)
	}
	said := make(map[string]bool)
	for _, r := range c.Reasons {
		if state == c.State && !said[r] { // what made it closed is no reason why it is not
			fmt.Fprintln(p.stdout, "  "+r)
		}
		said[r] = true
	}
	if c.NextText != "" && state != api.ExposureClosed {
		fmt.Fprintf(p.stdout, "  Next: %s\n", ended(c.NextText))
		if c.Next == string(health.AddVantage) {
			fmt.Fprintf(p.stdout, "        %s vantage witness INVITE     (an invite is made by `hearthgate witness invite NAME` on a server or at a friend's)\n"+
				"        %s vantage globalping on      (its volunteers' probes learn that somebody asks about your address and port)\n", p.name, p.name)
		}
	}
	if state == api.ExposureClosed {
		fmt.Fprintf(p.stdout, "  It counts until %s.\n", c.Until.Local().Format("2006-01-02 15:04"))
	}
	heading := "Besides:\n"
	for _, f := range c.Findings {
		if !said[f.Text] {
			fmt.Fprintf(p.stdout, "%s  %s\n", heading, f.Text)
			heading, said[f.Text] = "", true
		}
	}
	if len(c.Seen) == 0 {
		return nil
	}
	fmt.Fprintln(p.stdout)
	t := p.table()
	fmt.Fprintln(t, "VANTAGE\tADDRESS\tPORTS\tSAW\tWHY\tWHEN")
	for _, row := range rows(c.Seen) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", row.who, row.address, row.ports, row.saw, row.why, ago(row.at, time.Now()))
	}
	return t.Flush()
}

// ended puts a full stop behind a sentence that has no end yet.
func ended(s string) string {
	if s == "" || strings.ContainsRune(".?!", rune(s[len(s)-1])) {
		return s
	}
	return s + "."
}

// sight is what one vantage saw alike of several ports in one round.
type sight struct{ round, who, address, saw, why string }

type sightRow struct {
	sight
	ports string
	at    time.Time // of the newest
}

// rows puts together what differs in nothing but the port; the newest come first, as in seen.
func rows(seen []api.Sighting) (out []sightRow) {
	ports := make(map[sight][]uint16)
	for _, s := range seen {
		row := sight{round: s.Round, who: whoLooked(s), address: string(s.Family), saw: s.State.String(), why: s.Text}
		if s.Address.IsValid() {
			row.address = s.Address.String()
		}
		if s.State == health.PortOpen {
			row.saw += identityWords[s.Identity]
		}
		if lost := lostControls(s.Controls); lost != "" && s.State != health.Untested {
			row.why = strings.TrimSpace(row.why + " But " + lost + ".")
		}
		if ports[row] == nil {
			out = append(out, sightRow{sight: row, at: s.At})
		}
		if s.Port != 0 {
			ports[row] = append(ports[row], s.Port)
		} else if ports[row] == nil {
			ports[row] = []uint16{}
		}
	}
	for i, row := range out {
		list := ports[row.sight]
		slices.Sort(list)
		words := make([]string, len(list))
		for n, port := range list {
			words[n] = strconv.Itoa(int(port))
		}
		if out[i].ports = strings.Join(words, ","); len(words) == 0 {
			out[i].ports = "-"
		}
	}
	return out
}

var identityWords = map[health.Identity]string{
	health.Something: " (not Home Assistant)", health.SomeHome: " (a Home Assistant)", health.OurHome: " (your Home Assistant)",
}

// whoLooked names the vantage, and which one of its kind where there may be several.
func whoLooked(s api.Sighting) string {
	name := vantageName(s.Vantage)
	switch s.Vantage {
	case health.Witness, health.Phone, health.Globalping:
		if s.From != "" && s.From != name {
			return name + " " + s.From
		}
	default:
	}
	return name
}

func vantageName(k health.Kind) string {
	switch k {
	case health.PortCheck:
		return "ifconfig.co"
	case health.InternetDB:
		return "Shodan InternetDB"
	case health.Notices:
		return "Home Assistant's notices"
	case health.Globalping:
		return "Globalping"
	default:
		return string(k)
	}
}

// lostControls says in words which controls of an observation did not hold.
func lostControls(c health.Controls) string {
	var out []string
	for _, one := range []struct {
		control health.Control
		words   string
	}{
		{c.HomeBefore, "Home Assistant did not answer at home before"},
		{c.HomeAfter, "Home Assistant did not answer at home after"},
		{c.PathBefore, "the test packet did not arrive before"},
		{c.PathAfter, "the test packet did not arrive after"},
		{c.Canary, "the canary was not seen"},
		{c.Reach, "its network does not let that port out"},
		{c.Decoy, "a port that nobody opened answers too"},
		{c.Address, "the home's address changed or was another"},
		{c.Outside, "it stands in this home"},
	} {
		if one.control == health.Failed {
			out = append(out, one.words)
		}
	}
	return strings.Join(out, ", ")
}
