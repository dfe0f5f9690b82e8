package homeassistant

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/hearthgate/hearthgate/internal/secret"
)

// Notify puts a notification of our own into Home Assistant's side bar, or changes the one with that id. title and message are
// Markdown: whoever calls has escaped what others wrote.
func (t *Talker) Notify(ctx context.Context, id, title, message string) error {
	err := t.service(ctx, "persistent_notification/create", map[string]string{
		"notification_id": id, "title": title, "message": message,
	})
	if err != nil {
		return fmt.Errorf("telling Home Assistant: %w", err)
	}
	return nil
}

// Dismiss takes a notification away; one that is not there is no error.
func (t *Talker) Dismiss(ctx context.Context, id string) error {
	err := t.service(ctx, "persistent_notification/dismiss", map[string]string{"notification_id": id})
	if err != nil {
		return fmt.Errorf("taking a notification away in Home Assistant: %w", err)
	}
	return nil
}

func (t *Talker) service(ctx context.Context, name string, data map[string]string) error {
	body, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return t.errand(ctx, func(ctx context.Context, base string, token secret.Text) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/services/"+name, bytes.NewReader(body))
		if err != nil {
			return err
		}
		request.Header.Set("Authorization", "Bearer "+token.Reveal())
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("User-Agent", "Hearthgate")
		response, err := t.client.Do(request)
		if err != nil {
			return err
		}
		defer func() { _ = response.Body.Close() }()
		_, _ = io.CopyN(io.Discard, response.Body, mostBytes) // so that the connection ends in good order
		switch response.StatusCode {
		case http.StatusOK, http.StatusCreated:
			return nil
		case http.StatusUnauthorized:
			return ErrTokenRefused
		case http.StatusForbidden:
			return ErrBanned
		default:
			return fmt.Errorf("it answers %d", response.StatusCode)
		}
	})
}
