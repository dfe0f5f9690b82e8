package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/spf13/pflag"

	"github.com/hearthgate/hearthgate/webui/api"
)

func vantageCommands() []command {
	onOff := func(name, summary string, set func(*api.PatchExposureSetup, *bool)) command {
		return command{name: name, args: "on|off", summary: summary, run: func(p *program, ctx context.Context, args []string) error {
			return p.switchSetup(ctx, "vantage "+name+" on|off", args, set)
		}}
	}
	return []command{
		{name: "list", args: "[--json]", summary: "who looks from outside, and what else is asked", run: (*program).vantageList},
		{name: "witness", args: "[INVITE]", summary: "let a witness look; the invite is a secret: without it, it is read from standard input", run: (*program).vantageWitness},
		{name: "remove", args: "NAME", summary: "forget a witness", run: (*program).vantageRemove},
		onOff("globalping", "public probes of globalping.io; they learn your address and port, and keep the result for a week at least",
			func(s *api.PatchExposureSetup, on *bool) { s.Globalping = on }),
		onOff("port-check", "ask ifconfig.co once a day whether the port is open; it learns your address and port",
			func(s *api.PatchExposureSetup, on *bool) { s.PortCheck = on }),
		onOff("internetdb", "ask Shodan's InternetDB once a week what its scanner found; it learns your address",
			func(s *api.PatchExposureSetup, on *bool) { s.InternetDB = on }),
		onOff("canary", "open a port on the router for two minutes at most at each look, so that a look proves more",
			func(s *api.PatchExposureSetup, on *bool) { s.Canary = on }),
		{name: "known", args: "[PORT]...", summary: "the ports at which something of yours answers that is not Home Assistant; none forgets them", run: (*program).vantageKnown},
		{name: "names", args: "[NAME]...", summary: "the names by which a reverse proxy may know Home Assistant; none forgets them", run: (*program).vantageNames},
	}
}

func alertCommands() []command {
	return []command{
		{name: "list", args: "[--json]", summary: "who is told when Home Assistant is exposed", run: (*program).alertList},
		{name: "webhook", args: "URL|off", summary: "POST to a URL; `-` reads it from standard input", run: (*program).alertWebhook},
		{name: "mqtt", args: "URL|off", summary: "mqtt://USER:PASSWORD@HOST, with discovery for Home Assistant; `-` reads it from standard input", run: (*program).alertMQTT},
		{name: "home-assistant", args: "on|off|token|forget", summary: "a notification in Home Assistant; `token` reads a long-lived token from standard input, `forget` deletes it", run: (*program).alertHome},
	}
}

// setupClient parses and connects.
func (p *program) setupClient(ctx context.Context, fs *pflag.FlagSet, args []string, names ...string) (*api.Client, []string, error) {
	connect := p.client(fs)
	words, err := p.parse(fs, args, names...)
	if err != nil {
		return nil, nil, err
	}
	c, err := connect(ctx)
	return c, words, err
}

func onOrOff(what, word string) (bool, error) {
	switch word {
	case "on":
		return true, nil
	case "off":
		return false, nil
	}
	return false, badUsage("%s is on or off, not %q; nothing was changed", what, word)
}

func (p *program) switchSetup(ctx context.Context, usage string, args []string, set func(*api.PatchExposureSetup, *bool)) error {
	fs := p.flags(usage)
	connect := p.client(fs)
	words, err := p.parse(fs, args, "on|off")
	if err != nil {
		return err
	}
	name := strings.TrimSuffix(strings.TrimPrefix(usage, "vantage "), " on|off")
	on, err := onOrOff(name, words[0])
	if err != nil {
		return err
	}
	var in api.PatchExposureSetup
	set(&in, &on)
	_, err = p.patch(ctx, connect, in, name+" is "+words[0])
	return err
}

func (p *program) vantageList(ctx context.Context, args []string) error {
	fs := p.flags("vantage list [--json]")
	asJSON := fs.Bool("json", false, "print JSON")
	c, _, err := p.setupClient(ctx, fs, args)
	if err != nil {
		return err
	}
	s, err := c.ExposureSetup(ctx)
	if err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(s)
	}
	t := p.table()
	for _, w := range s.Witnesses {
		fmt.Fprintf(t, "witness\t%s\n", w.Name)
	}
	if len(s.Witnesses) == 0 {
		fmt.Fprintln(t, "witness\tnone")
	}
	for _, one := range []struct {
		name string
		on   bool
	}{{"globalping", s.Globalping}, {"port-check", s.PortCheck}, {"internetdb", s.InternetDB}, {"canary", s.Canary}} {
		fmt.Fprintf(t, "%s\t%s\n", one.name, map[bool]string{true: "on", false: "off"}[one.on])
	}
	if len(s.Known) > 0 {
		fmt.Fprintf(t, "known\t%s\n", strings.Trim(fmt.Sprint(s.Known), "[]"))
	}
	if len(s.Names) > 0 {
		fmt.Fprintf(t, "names\t%s\n", strings.Join(s.Names, " "))
	}
	return t.Flush()
}

func (p *program) vantageWitness(ctx context.Context, args []string) error {
	fs := p.flags("vantage witness [INVITE]")
	connect := p.client(fs)
	if err := fs.Parse(args); err != nil {
		return flagError(fs, err)
	}
	invite := ""
	switch words := fs.Args(); {
	case len(words) == 0, len(words) == 1 && words[0] == "-":
		line, err := p.secretLine("the invite")
		if err != nil {
			return err
		}
		invite = line
	case len(words) == 1:
		invite = words[0]
	default:
		return badUsage("an invite is one word; usage: hearthgate %s; nothing was changed", fs.Name())
	}
	c, err := connect(ctx)
	if err != nil {
		return err
	}
	name, err := c.AddWitness(ctx, invite)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "The witness %s is asked from now on. See whether it answers: %s check\n", name, p.name)
	return err
}

// secretLine reads one line from standard input. On a terminal it says what is awaited.
func (p *program) secretLine(what string) (string, error) {
	if isatty.IsTerminal(os.Stdin.Fd()) {
		fmt.Fprintf(p.stderr, "Type or paste %s, then Enter: ", what)
	}
	line, err := bufio.NewReader(io.LimitReader(os.Stdin, 16<<10)).ReadString('\n')
	if line = strings.TrimSpace(line); line == "" {
		if err == nil || errors.Is(err, io.EOF) {
			return "", badUsage("%s is missing; nothing was changed", what)
		}
		return "", fmt.Errorf("reading %s: %w; nothing was changed", what, err)
	}
	return line, nil
}

func (p *program) vantageRemove(ctx context.Context, args []string) error {
	c, words, err := p.setupClient(ctx, p.flags("vantage remove NAME"), args, "NAME")
	if err != nil {
		return err
	}
	if words[0] == "" {
		return badUsage("the name is empty; `hearthgate vantage list` shows the names; nothing was changed")
	}
	if err := c.RemoveWitness(ctx, words[0]); api.IsNotFound(err) {
		return fmt.Errorf("%w; `hearthgate vantage list` shows the names", err)
	} else if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "The witness %s is not asked any more.\n", words[0])
	return err
}

func (p *program) vantageKnown(ctx context.Context, args []string) error {
	fs := p.flags("vantage known [PORT]...")
	connect := p.client(fs)
	if err := fs.Parse(args); err != nil {
		return flagError(fs, err)
	}
	ports := []uint16{}
	for _, word := range fs.Args() {
		n, err := strconv.ParseUint(word, 10, 16)
		if err != nil || n == 0 {
			return badUsage("%q is no port, which is a number from 1 to 65535; nothing was changed", word)
		}
		if !slices.Contains(ports, uint16(n)) {
			ports = append(ports, uint16(n))
		}
	}
	words := make([]string, len(ports))
	for i, port := range ports {
		words[i] = strconv.Itoa(int(port))
	}
	_, err := p.patch(ctx, connect, api.PatchExposureSetup{Known: &ports}, "Ports that are known now: "+listed(words))
	return err
}

func (p *program) vantageNames(ctx context.Context, args []string) error {
	fs := p.flags("vantage names [NAME]...")
	connect := p.client(fs)
	if err := fs.Parse(args); err != nil {
		return flagError(fs, err)
	}
	names := append([]string{}, fs.Args()...)
	_, err := p.patch(ctx, connect, api.PatchExposureSetup{Names: &names}, "Names that are tried now: "+listed(names))
	return err
}

func listed(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, " ")
}

func (p *program) patch(ctx context.Context, connect func(context.Context) (*api.Client, error), in api.PatchExposureSetup, said string) (api.ExposureSetup, error) {
	c, err := connect(ctx)
	if err != nil {
		return api.ExposureSetup{}, err
	}
	out, err := c.PatchExposureSetup(ctx, in)
	if err != nil {
		return out, err
	}
	_, err = fmt.Fprintln(p.stdout, said+".")
	return out, err
}

// alertsSet is what alert list --json prints: who is told, and how telling went.
type alertsSet struct {
	Webhook             api.SecretView `json:"webhook"`
	MQTT                api.SecretView `json:"mqtt"`
	HomeAssistantToken  api.SecretView `json:"home_assistant_token"`
	NotifyHomeAssistant bool           `json:"notify_home_assistant"`
	Alerts              []api.Alert    `json:"alerts"`
}

func (p *program) alertList(ctx context.Context, args []string) error {
	fs := p.flags("alert list [--json]")
	asJSON := fs.Bool("json", false, "print JSON")
	c, _, err := p.setupClient(ctx, fs, args)
	if err != nil {
		return err
	}
	s, err := c.ExposureSetup(ctx)
	if err != nil {
		return err
	}
	if *asJSON {
		return p.printJSON(alertsSet{s.Webhook, s.MQTT, s.HomeAssistantToken, s.NotifyHomeAssistant, s.Alerts})
	}
	t := p.table()
	fmt.Fprintln(t, "page, journal and log\talways")
	for _, one := range []struct {
		name string
		set  api.SecretView
		on   bool
	}{{"webhook", s.Webhook, s.Webhook.Set}, {"mqtt", s.MQTT, s.MQTT.Set}, {"home-assistant", s.HomeAssistantToken, s.NotifyHomeAssistant}} {
		state := map[bool]string{true: "on", false: "off"}[one.on]
		if one.set.Host != "" {
			state += " (" + one.set.Host + ")"
		}
		trouble := ""
		for _, a := range s.Alerts {
			if a.Error != "" && strings.ReplaceAll(a.Name, "_", "-") == one.name {
				trouble = ": " + a.Error
			}
		}
		fmt.Fprintf(t, "%s\t%s%s\n", one.name, state, trouble)
	}
	return t.Flush()
}

func (p *program) alertWebhook(ctx context.Context, args []string) error {
	return p.alertURL(ctx, "webhook", "The webhook is told when Home Assistant is exposed, and when that is over", args, func(s *api.PatchExposureSetup, url *string) { s.Webhook = url })
}

func (p *program) alertMQTT(ctx context.Context, args []string) error {
	return p.alertURL(ctx, "mqtt", "The MQTT broker is told from now on. See whether it takes it: "+p.name+" alert list", args, func(s *api.PatchExposureSetup, url *string) { s.MQTT = url })
}

func (p *program) alertURL(ctx context.Context, name, said string, args []string, set func(*api.PatchExposureSetup, *string)) error {
	fs := p.flags("alert " + name + " URL|off")
	connect := p.client(fs)
	words, err := p.parse(fs, args, "URL|off")
	if err != nil {
		return err
	}
	url := words[0]
	switch url {
	case "":
		return badUsage("the URL is empty; `off` takes it away; nothing was changed")
	case "off":
		url, said = "", name+" is not told any more"
	case "-":
		if url, err = p.secretLine("the URL"); err != nil {
			return err
		}
	}
	var in api.PatchExposureSetup
	set(&in, &url)
	_, err = p.patch(ctx, connect, in, said)
	return err
}

func (p *program) alertHome(ctx context.Context, args []string) error {
	fs := p.flags("alert home-assistant on|off|token|forget")
	connect := p.client(fs)
	words, err := p.parse(fs, args, "on|off|token|forget")
	if err != nil {
		return err
	}
	switch words[0] {
	case "token":
		token, err := p.secretLine("the token")
		if err != nil {
			return err
		}
		_, err = p.patch(ctx, connect, api.PatchExposureSetup{HomeAssistantToken: &token},
			fmt.Sprintf("The token is kept. Have Home Assistant told: %s alert home-assistant on", p.name))
		return err
	case "forget":
		off, none := false, ""
		if _, err := p.patch(ctx, connect, api.PatchExposureSetup{NotifyHomeAssistant: &off}, "home-assistant is off"); err != nil {
			return err
		}
		_, err := p.patch(ctx, connect, api.PatchExposureSetup{HomeAssistantToken: &none}, "The token is forgotten; delete it in Home Assistant, too")
		return err
	}
	on, err := onOrOff("home-assistant", words[0])
	if err != nil {
		return err
	}
	_, err = p.patch(ctx, connect, api.PatchExposureSetup{NotifyHomeAssistant: &on}, "home-assistant is "+words[0])
	return err
}
