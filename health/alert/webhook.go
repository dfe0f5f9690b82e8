package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/hearthgate/hearthgate/health"
	"github.com/hearthgate/hearthgate/internal/secret"
)

const (
	webhookPatience = 10 * time.Second
	mostAnswer      = 64 << 10 // of the answer, which is read so that the connection ends in good order, and thrown away
	mostRedirects   = 3
)

func (a *Alerts) webhook(s health.Setup) route {
	if s.Webhook.IsZero() {
		return route{}
	}
	return route{
		target: hashOf(Webhook, s.Webhook.Reveal()),
		tell:   func(ctx context.Context, n notice) error { return post(ctx, s.Webhook, n) },
	}
}

// post tells a webhook. The URL may hold a password or be one, so it is in no error.
func post(ctx context.Context, to secret.Text, n notice) error {
	ctx, cancel := context.WithTimeout(ctx, webhookPatience)
	defer cancel()
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.Reveal(), bytes.NewReader(body))
	if err != nil {
		return errors.New("calling the webhook: its URL makes no sense")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Hearthgate")
	response, err := webhookClient().Do(request)
	if err != nil {
		if inner, ok := errors.AsType[*url.Error](err); ok {
			err = inner.Err // without the URL
		}
		return fmt.Errorf("calling the webhook: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, mostAnswer)
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("calling the webhook: it answers %d", response.StatusCode)
	}
	return nil
}

// webhookClient keeps no connection, takes no proxy from the environment, and follows a redirect only on the same host, in the
// same scheme, and where the answer says that it is to be a POST again (307 and 308: RFC 9110, section 15.4).
func webhookClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:       (&net.Dialer{Timeout: webhookPatience}).DialContext,
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: mostAnswer,
		},
		CheckRedirect: func(next *http.Request, via []*http.Request) error {
			first := via[0]
			if len(via) > mostRedirects || next.Method != http.MethodPost || next.URL.Host != first.URL.Host || next.URL.Scheme != first.URL.Scheme {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}
