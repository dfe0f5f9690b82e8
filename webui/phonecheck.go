package webui

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/hearthgate/hearthgate/health/vantage"
	"github.com/hearthgate/hearthgate/webui/access"
	"github.com/hearthgate/hearthgate/webui/page"
	"github.com/hearthgate/hearthgate/webui/words"
)

// PhoneCheck looks at the home from a phone that is away, with the phone's browser.
type PhoneCheck interface {
	// Begin draws up what the browser is to try; the error is a vantage.PhoneRefusal. asked: a person wants it.
	Begin(ctx context.Context, peerID string, asked bool) (vantage.PhoneTask, error)
	// Report takes what the browser found, once for each task.
	Report(ctx context.Context, peerID string, r vantage.PhoneReport) vantage.PhoneOutcome
}

const (
	checkPath   = "/check"
	reportPath  = "/check/report"
	unaskedPath = "/check/unasked.js"
)

// beginCheck draws up a task for the phone whose connection it is. Its page, and it alone, may connect to what it tries.
func (p *portal) beginCheck(w http.ResponseWriter, r *http.Request, asked bool) (vantage.PhoneTask, vantage.PhoneOutcome) {
	peer, err := p.peer(r)
	if err != nil || p.server.cfg.PhoneCheck == nil {
		return vantage.PhoneTask{}, vantage.PhoneNotSetUp
	}
	task, err := p.server.cfg.PhoneCheck.Begin(r.Context(), peer.ID, asked)
	if why, ok := errors.AsType[vantage.PhoneRefusal](err); ok {
		return vantage.PhoneTask{}, vantage.PhoneOutcome(why)
	} else if err != nil {
		p.server.cfg.Log.Error("phone check failed", "error", err)
		return vantage.PhoneTask{}, vantage.PhoneNotSetUp
	}
	w.Header().Set("Content-Security-Policy", access.PolicyTo(task.Sources()))
	return task, ""
}

// checkPage is the page that looks as soon as it is open.
func (p *portal) checkPage(w http.ResponseWriter, r *http.Request) {
	if _, err := p.peer(r); err != nil {
		p.answer(w, r) // which says what is wrong
		return
	}
	task, why := p.beginCheck(w, r, true)
	m := page.PhoneCheck{Outcome: string(why), Controlled: task.Controlled}
	if why == "" {
		text, err := json.Marshal(task)
		if err != nil {
			p.fail(w, r, http.StatusInternalServerError, page.FailureInternal)
			return
		}
		m.Task = string(text)
	}
	p.show(w, r, http.StatusOK, m)
}

// unasked is a worker's script that looks without anybody asking, with its task in it; empty when it is not time to. A worker
// has the policy that its script came with, so that the portal page itself connects to nobody (CSP Level 3, section 4.2.1 and
// HTML, "run a worker").
func (p *portal) unasked(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	task, why := p.beginCheck(w, r, false)
	text, err := json.Marshal(task)
	if why != "" || err != nil {
		_, _ = io.WriteString(w, "close();\n")
		return
	}
	// JSON is script (ECMAScript 2019), and what is in it are URLs of ours and a nonce.
	_, _ = io.WriteString(w, "self.task = "+string(text)+";\n"+page.PhoneScript()) // the phone may be gone
}

// maxReport bounds a report: some 150 results of 40 bytes, and a message in a few of them.
const maxReport = 16 << 10

// report takes what a browser found. It is the one thing that the portal lets a phone change, and it comes from a page of ours
// (access.SameOrigin).
func (p *portal) report(w http.ResponseWriter, r *http.Request) {
	peer, err := p.peer(r)
	if err != nil || p.server.cfg.PhoneCheck == nil {
		p.sayOutcome(w, r, http.StatusNotFound, vantage.PhoneNotSetUp)
		return
	}
	var found vantage.PhoneReport
	if r.Header.Get("Content-Type") != "application/json" {
		p.sayOutcome(w, r, http.StatusUnsupportedMediaType, vantage.PhoneUnreadable)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxReport))
	if err != nil || json.Unmarshal(body, &found) != nil {
		p.sayOutcome(w, r, http.StatusBadRequest, vantage.PhoneUnreadable)
		return
	}
	p.sayOutcome(w, r, http.StatusOK, p.server.cfg.PhoneCheck.Report(r.Context(), peer.ID, found))
}

func (p *portal) sayOutcome(w http.ResponseWriter, r *http.Request, status int, outcome vantage.PhoneOutcome) {
	said := struct {
		Outcome string `json:"outcome"`
		Kind    string `json:"kind"`
		Text    string `json:"text"`
	}{
		string(outcome), page.PhoneKind(string(outcome)),
		words.For(words.Match("", r.Header.Get("Accept-Language"))).T(page.PhoneSaid(string(outcome))),
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(said) // the phone may be gone
}
