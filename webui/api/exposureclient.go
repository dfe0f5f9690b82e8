package api

import (
	"context"
	"net/http"
	"net/url"
)

// Exposure asks for the verdict.
func (c *Client) Exposure(ctx context.Context) (out Exposure, err error) {
	err = c.Do(ctx, http.MethodGet, "/api/v1/exposure", nil, &out)
	return out, err
}

// StartCheck asks for a look by everybody now, and does not wait for it.
func (c *Client) StartCheck(ctx context.Context) error {
	return c.Do(ctx, http.MethodPost, "/api/v1/exposure/checks", nil, nil)
}

// CheckProgress is how the round stands, and what every vantage saw last.
func (c *Client) CheckProgress(ctx context.Context) (out ExposureChecks, err error) {
	err = c.Do(ctx, http.MethodGet, "/api/v1/exposure/checks", nil, &out)
	return out, err
}

// ExposureSetup is who looks and who is told.
func (c *Client) ExposureSetup(ctx context.Context) (out ExposureSetup, err error) {
	err = c.Do(ctx, http.MethodGet, "/api/v1/exposure/setup", nil, &out)
	return out, err
}

// PatchExposureSetup changes the one field that is set.
func (c *Client) PatchExposureSetup(ctx context.Context, in PatchExposureSetup) (out ExposureSetup, err error) {
	err = c.Do(ctx, http.MethodPatch, "/api/v1/exposure/setup", in, &out)
	return out, err
}

// AddWitness takes a witness's invite and says what it is called.
func (c *Client) AddWitness(ctx context.Context, invite string) (name string, err error) {
	var out WitnessView
	err = c.Do(ctx, http.MethodPost, "/api/v1/exposure/witnesses", AddWitness{Invite: invite}, &out)
	return out.Name, err
}

// RemoveWitness forgets a witness.
func (c *Client) RemoveWitness(ctx context.Context, name string) error {
	return c.Do(ctx, http.MethodDelete, "/api/v1/exposure/witnesses/"+url.PathEscape(name), nil, nil)
}
