package standin

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strings"
)

// This file is signing in: providers, the login flow with its one form, and tokens. A wrong password is status 200 with
// the form again; Home Assistant counts it all the same.

func (h *HomeAssistant) providers(w http.ResponseWriter, _ *http.Request) {
	o := h.options.Load()
	if o.NotOnboarded {
		answer(w, http.StatusBadRequest, object{"message": "Onboarding not finished", "code": "onboarding_required"})
		return
	}
	list := []object{{"name": "Home Assistant Local", "id": nil, "type": "homeassistant"}}
	if o.TrustedNetworks {
		list = append([]object{{"name": "Trusted Networks", "id": nil, "type": "trusted_networks"}}, list...)
	}
	answer(w, http.StatusOK, object{"providers": list, "preselect_remember_me": true})
}

func (h *HomeAssistant) startLogin(w http.ResponseWriter, r *http.Request) {
	var request struct {
		ClientID    string `json:"client_id"`
		Handler     []any  `json:"handler"`
		RedirectURI string `json:"redirect_uri"`
	}
	if !read(r, &request) || request.ClientID == "" || request.RedirectURI == "" || len(request.Handler) != 2 {
		answer(w, http.StatusBadRequest, object{"message": "Message format incorrect"})
		return
	}
	if request.Handler[0] != "homeassistant" {
		answer(w, http.StatusNotFound, object{"message": "Invalid handler specified"})
		return
	}
	id := h.issue(h.flows)
	answer(w, http.StatusOK, form(id, object{}))
}

func form(id string, errors object) object {
	return object{
		"type": "form", "flow_id": id, "handler": []any{"homeassistant", nil}, "step_id": "init",
		"data_schema": []object{
			{"type": "string", "name": "username", "required": true},
			{"type": "string", "name": "password", "required": true},
		},
		"errors": errors, "description_placeholders": nil, "last_step": nil, "preview": nil,
	}
}

func (h *HomeAssistant) continueLogin(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	var request struct {
		Username string `json:"username"`
		Password string `json:"password"`
	}
	if !read(r, &request) {
		answer(w, http.StatusBadRequest, object{"message": "Message format incorrect"})
		return
	}
	if !h.has(h.flows, id) {
		h.fail(r)
		answer(w, http.StatusNotFound, object{"message": "Invalid flow specified"})
		return
	}
	right := subtle.ConstantTimeCompare([]byte(request.Password), []byte(Password)) == 1
	if strings.ToLower(strings.TrimSpace(request.Username)) != Username || !right {
		h.fail(r)
		answer(w, http.StatusOK, form(id, object{"base": "invalid_auth"}))
		return
	}
	h.spend(h.flows, id)
	answer(w, http.StatusOK, object{
		"type": "create_entry", "version": 1, "flow_id": id, "handler": []any{"homeassistant", nil},
		"result": h.issue(h.codes), "description": nil, "description_placeholders": nil,
	})
}

func (h *HomeAssistant) abortLogin(w http.ResponseWriter, r *http.Request) {
	if !h.spend(h.flows, r.PathValue("id")) {
		answer(w, http.StatusNotFound, object{"message": "Invalid flow specified"})
		return
	}
	answer(w, http.StatusOK, object{"message": "Flow aborted"})
}

// token takes the code as a form, never as JSON.
func (h *HomeAssistant) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	switch {
	case r.PostFormValue("grant_type") != "authorization_code":
		h.fail(r)
		answer(w, http.StatusBadRequest, object{"error": "unsupported_grant_type"})
	case !h.spend(h.codes, r.PostFormValue("code")):
		h.fail(r)
		answer(w, http.StatusBadRequest, object{"error": "invalid_request", "error_description": "Invalid code"})
	default:
		answer(w, http.StatusOK, object{
			"access_token": h.issue(h.tokens), "token_type": "Bearer", "refresh_token": rand.Text(),
			"expires_in": 1800, "ha_auth_provider": "homeassistant",
		})
	}
}

// signedIn lets a handler be reached with a token only.
func (h *HomeAssistant) signedIn(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || !h.has(h.tokens, token) {
			h.fail(r)
			say(w, http.StatusUnauthorized)
			return
		}
		next(w, r)
	}
}

func read(r *http.Request, v any) bool {
	return json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(v) == nil
}

// issue makes a secret of a kind, has asks for it, spend takes it back.
func (h *HomeAssistant) issue(kind map[string]bool) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := rand.Text()
	kind[id] = true
	return id
}

func (h *HomeAssistant) has(kind map[string]bool, id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return kind[id]
}

func (h *HomeAssistant) spend(kind map[string]bool, id string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	ok := kind[id]
	delete(kind, id)
	return ok
}

// Token is an access token that is good without signing in, for tests of what comes after.
func (h *HomeAssistant) Token() string { return h.issue(h.tokens) }
