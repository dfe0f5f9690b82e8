package browser

import (
	"os"
	"path/filepath"
	"sync"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
)

// downloads remembers what the browser has saved, by the window's main frame.
type downloads struct {
	mu    sync.Mutex
	begun map[cdp.FrameID][]browser.EventDownloadWillBegin
	state map[string]browser.DownloadProgressState
}

func newDownloads() *downloads {
	return &downloads{
		begun: make(map[cdp.FrameID][]browser.EventDownloadWillBegin), state: make(map[string]browser.DownloadProgressState),
	}
}

func (d *downloads) hear(event any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch e := event.(type) {
	case *browser.EventDownloadWillBegin:
		d.begun[e.FrameID] = append(d.begun[e.FrameID], *e)
	case *browser.EventDownloadProgress:
		d.state[e.GUID] = e.State
	}
}

// of is the number of downloads of a window, and the last of them with its state.
func (d *downloads) of(frame cdp.FrameID) (int, browser.EventDownloadWillBegin, browser.DownloadProgressState) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.begun[frame]
	if len(all) == 0 {
		return 0, browser.EventDownloadWillBegin{}, ""
	}
	last := all[len(all)-1]
	return len(all), last, d.state[last.GUID]
}

func (b *Browser) downloadDir() string { return filepath.Join(b.dir, "downloads") }

// Download presses something, and returns the file that the browser saves then, with the name that it would have.
func (p *Page) Download(what string) (name string, content []byte) {
	p.t.Helper()
	before, _, _ := p.browser.downloads.of(p.frame)
	p.Click(what)
	var file browser.EventDownloadWillBegin
	p.eventually("a download", patient, func() bool {
		count, last, state := p.browser.downloads.of(p.frame)
		file = last
		return count > before && state == browser.DownloadProgressStateCompleted
	})
	content, err := os.ReadFile(filepath.Join(p.browser.downloadDir(), file.GUID))
	if err != nil {
		p.t.Fatalf("reading the download %s: %v", file.SuggestedFilename, err)
	}
	return file.SuggestedFilename, content
}
