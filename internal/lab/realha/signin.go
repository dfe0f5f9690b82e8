package realha

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// The owner whom Onboard makes.
const (
	Owner    = "owner"
	Password = "correct horse battery staple"
)

// clientID is who asks for the token: with the origin of redirect_uri as its own, Home Assistant looks up nothing.
func (v *Visitor) clientID() string { return v.Base + "/" }

// Onboard makes the owner's account and signs in as the owner. It needs a Home Assistant that nobody has onboarded yet.
// The step "core_config" is left undone, because it starts integrations that want the internet.
func (v *Visitor) Onboard(ctx context.Context) error {
	var made struct {
		Code string `json:"auth_code"`
	}
	err := v.postJSON(ctx, "/api/onboarding/users", map[string]string{
		"client_id": v.clientID(), "name": "Owner", "username": Owner, "password": Password, "language": "en",
	}, &made)
	if err != nil {
		return fmt.Errorf("onboarding: %w", err)
	}
	if err := v.redeem(ctx, made.Code); err != nil {
		return fmt.Errorf("onboarding: %w", err)
	}
	return nil
}

// Providers lists the kinds of sign-in that Home Assistant offers to where the visitor comes from: "homeassistant" is a
// password, "trusted_networks" is none.
func (v *Visitor) Providers(ctx context.Context) ([]string, error) {
	body, err := v.Get(ctx, "/auth/providers")
	if err != nil {
		return nil, err
	}
	return providers(body)
}

// A step is an answer of the login flow.
type step struct {
	Type   string            `json:"type"` // form, create_entry or abort
	FlowID string            `json:"flow_id"`
	StepID string            `json:"step_id"`
	Errors map[string]string `json:"errors"`
	Result string            `json:"result"` // of create_entry: the authorization code
	Reason string            `json:"reason"` // of abort
}

// LogIn goes through the login flow with a user name and a password, as the page does, and takes the token.
// A refused password is [ErrWrongPassword]; Home Assistant counts it.
func (v *Visitor) LogIn(ctx context.Context, user, password string) error {
	v.Token = ""
	var first, second step
	err := v.postJSON(ctx, "/auth/login_flow", map[string]any{
		"client_id": v.clientID(), "redirect_uri": v.clientID(), "handler": []any{"homeassistant", nil}, "type": "authorize",
	}, &first)
	if err != nil {
		return fmt.Errorf("beginning to sign in: %w", err)
	}
	if first.Type != "form" || first.StepID != "init" {
		return fmt.Errorf("beginning to sign in: expected the form %q, got %q %q", "init", first.Type, first.StepID)
	}
	err = v.postJSON(ctx, "/auth/login_flow/"+url.PathEscape(first.FlowID), map[string]any{
		"client_id": v.clientID(), "username": user, "password": password,
	}, &second)
	if err != nil {
		return fmt.Errorf("signing in as %q: %w", user, err)
	}
	switch {
	case second.Errors["base"] == "invalid_auth":
		return fmt.Errorf("signing in as %q: %w", user, ErrWrongPassword)
	case second.Type != "create_entry":
		return fmt.Errorf("signing in as %q: got %q %q %q", user, second.Type, second.StepID, second.Reason)
	}
	return v.redeem(ctx, second.Result)
}

// redeem turns an authorization code into a token.
func (v *Visitor) redeem(ctx context.Context, code string) error {
	var tokens struct {
		Access string `json:"access_token"`
		Type   string `json:"token_type"`
	}
	err := v.postForm(ctx, "/auth/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {v.clientID()},
	}, &tokens)
	if err != nil {
		return fmt.Errorf("asking for a token: %w", err)
	}
	if tokens.Type != "Bearer" || tokens.Access == "" {
		return fmt.Errorf("asking for a token: expected a Bearer token, got type %q", tokens.Type)
	}
	v.Token = tokens.Access
	return nil
}

// providers reads the answer of /auth/providers.
func providers(body []byte) ([]string, error) {
	var answer struct {
		Providers []struct {
			Type string `json:"type"`
		} `json:"providers"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("reading /auth/providers: %w", err)
	}
	var kinds []string
	for _, p := range answer.Providers {
		kinds = append(kinds, p.Type)
	}
	return kinds, nil
}
