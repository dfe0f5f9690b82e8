package browser

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// commandTime bounds one command to the browser, which takes milliseconds; machines that test are busy.
const commandTime = 60 * time.Second

// A Browser is a running Chromium. Its pages may be used by parallel tests.
type Browser struct {
	host  *lab.Host
	names []string
	dir   string // its profile, its home and its downloads
	agent string // its User-Agent, without the word that says that nobody looks

	process   *lab.Process
	conn      *chromedp.PipeConn
	ctx       context.Context // chromedp's, of the browser; pages derive theirs from it
	downloads *downloads
}

// A Setting says where a browser stands.
type Setting func(*Browser)

// On puts the browser on a host of the lab. Without it the browser is on the test's own network and reaches loopback
// only. The two differ in one thing that matters: loopback is a secure context for a browser, and a LAN address is not
// (Sec-Fetch-Site, Secure cookies, the clipboard), so what is asked about a household's browser is asked from a host.
func On(host *lab.Host) Setting {
	return func(b *Browser) { b.host = host }
}

// Resolve lets the browser find a name at an IP address, as mDNS or somebody else's DNS server would have it.
func Resolve(name, address string) Setting {
	return func(b *Browser) { b.names = append(b.names, "MAP "+name+" "+address) }
}

// Start starts a browser that lasts as long as the test. Where there is no Chromium the test is left out.
func Start(t testing.TB, settings ...Setting) *Browser {
	t.Helper()
	Need(t)
	b := new(Browser)
	for _, set := range settings {
		set(b)
	}
	t.Cleanup(func() { b.tidy(t) })
	if err := b.furnish(); err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	wire, err := b.launch(t)
	if err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	ctx, cancel := chromedp.NewAllocatorContext(context.Background(), wire)
	t.Cleanup(cancel)
	b.ctx, cancel = chromedp.NewContext(ctx, chromedp.WithLogf(quiet), chromedp.WithErrorf(quiet))
	t.Cleanup(cancel)
	if err := b.greet(); err != nil {
		t.Fatalf("starting the browser: %v; it said:\n%s", err, b.process.Output())
	}
	return b
}

// quiet is for chromedp's own log: what goes wrong comes back as an error too.
func quiet(string, ...any) {}

// greet has the first words with the browser.
func (b *Browser) greet() error {
	version, err := askBrowser(b.ctx, browser.GetVersion, cdp.Empty{})
	if err != nil {
		return err
	}
	b.agent = strings.Replace(version.UserAgent, "Headless", "", 1)
	b.downloads = newDownloads()
	return chromedp.ListenBrowser(b.ctx, b.downloads.hear)
}

// askBrowser puts a question to the browser as a whole. Its context must not end with the first question, for chromedp takes
// that for the browser's own.
func askBrowser[P, R any](ctx context.Context, command cdp.Command[P, R], params P) (R, error) {
	return chromedp.CallBrowser(ctx, command, params)
}

// furnish makes what the browser finds around it. Its directory has a short name, for there will be a socket in it, whose
// path may have 107 bytes (unix(7)), and a test's own directory has the test's name.
func (b *Browser) furnish() (err error) {
	if b.dir, err = os.MkdirTemp("", "browser-"); err != nil {
		return err
	}
	for _, name := range []string{"profile", "downloads", "tmp"} {
		if err := os.Mkdir(filepath.Join(b.dir, name), 0o700); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(b.dir, "fonts.conf"), []byte(fonts), 0o600)
}

// arguments of Chromium. There is no flag in here that changes what a page may do.
func (b *Browser) arguments() []string {
	rules := slices.Clone(b.names)
	if b.host == nil {
		rules = append(rules, "MAP * ~NOTFOUND", "EXCLUDE localhost", "EXCLUDE 127.0.0.1", "EXCLUDE [::1]")
	}
	arguments := []string{
		"--headless",
		"--remote-debugging-pipe",
		"--user-data-dir=" + filepath.Join(b.dir, "profile"),
		"--no-sandbox", // it refuses to start as root otherwise, and what it opens is ours
		"--disable-gpu",
		"--disable-quic",
		"--disable-dev-shm-usage", // small in containers
		"--no-first-run",
		"--no-default-browser-check",
		"--no-proxy-server",
		// It asks nobody about anything.
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps",
		"--log-level=3", "--disable-breakpad", "--disable-crash-reporter", "--disable-domain-reliability",
		"--disable-features=MediaRouter,OptimizationHints,Translate,AutofillServerCommunication",
		// Pages that are not in front go on living.
		"--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
		"--allow-pre-commit-input", // and heed the mouse before they are drawn
		// It draws the same everywhere.
		"--lang=en-US", "--hide-scrollbars", "--mute-audio", "--force-color-profile=srgb", "--font-render-hinting=none",
		"--disable-lcd-text", "--password-store=basic",
	}
	if len(rules) > 0 {
		arguments = append(arguments, "--host-resolver-rules="+strings.Join(rules, ", "))
	}
	return append(arguments, "about:blank")
}

// command is Chromium on the browser's host.
func (b *Browser) command() *exec.Cmd {
	var cmd *exec.Cmd
	if b.host != nil {
		cmd = b.host.Command(context.Background(), "chromium", b.arguments()...)
	} else {
		cmd = exec.CommandContext(context.Background(), "chromium", b.arguments()...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	}
	cmd.Env = append(cmd.Env,
		"HOME="+b.dir, "XDG_CONFIG_HOME="+b.dir, "XDG_CACHE_HOME="+b.dir, "XDG_RUNTIME_DIR="+b.dir,
		"TMPDIR="+filepath.Join(b.dir, "tmp"), "FONTCONFIG_FILE="+filepath.Join(b.dir, "fonts.conf"), "TZ=UTC",
	)
	return cmd
}
