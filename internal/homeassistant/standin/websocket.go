package standin

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// websocket greets with auth_required, takes one auth message within ten seconds, and then answers commands.
func (h *HomeAssistant) websocket(w http.ResponseWriter, r *http.Request) {
	// Home Assistant does not look at Origin: what counts is the token.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(4 << 20)

	version := h.options.Load().Version
	if send(r.Context(), conn, object{"type": "auth_required", "ha_version": version}) != nil || !h.authenticate(r, conn, version) {
		return
	}
	for {
		var command struct {
			ID   int    `json:"id"`
			Type string `json:"type"`
		}
		if receive(r.Context(), conn, &command) != nil || send(r.Context(), conn, h.obey(command.ID, command.Type)) != nil {
			return
		}
	}
}

func (h *HomeAssistant) authenticate(r *http.Request, conn *websocket.Conn, version string) bool {
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	var auth struct {
		Type  string `json:"type"`
		Token string `json:"access_token"`
	}
	if receive(ctx, conn, &auth) != nil {
		return false
	}
	if auth.Type != "auth" || !h.has(h.tokens, auth.Token) {
		h.fail(r)
		_ = send(ctx, conn, object{"type": "auth_invalid", "message": "Invalid access token or password"})
		return false
	}
	return send(ctx, conn, object{"type": "auth_ok", "ha_version": version}) == nil
}

func (h *HomeAssistant) obey(id int, command string) object {
	o := h.options.Load()
	switch command {
	case "ping":
		return object{"id": id, "type": "pong"}
	case "get_config":
		return object{"id": id, "type": "result", "success": true, "result": object{
			"version": o.Version, "location_name": o.Name, "state": "RUNNING", "components": []string{}, "time_zone": "UTC",
			"internal_url": nil, "external_url": orNil(o.External),
		}}
	case "persistent_notification/get":
		return object{"id": id, "type": "result", "success": true, "result": h.notifications()}
	case "network/url":
		return object{"id": id, "type": "result", "success": true, "result": object{
			"internal": nil, "external": orNil(o.External), "cloud": orNil(o.Cloud),
		}}
	case "network":
		if o.NotAdmin {
			return object{"id": id, "type": "result", "success": false, "error": object{"code": "unauthorized", "message": "Unauthorized"}}
		}
		return object{"id": id, "type": "result", "success": true, "result": object{"adapters": []object{adapter(o.Addresses)}, "configured_adapters": []string{}}}
	default:
		return object{"id": id, "type": "result", "success": false, "error": object{
			"code": "unknown_command", "message": "Unknown command.",
		}}
	}
}

func send(ctx context.Context, conn *websocket.Conn, v object) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageText, text)
}

func receive(ctx context.Context, conn *websocket.Conn, v any) error {
	_, text, err := conn.Read(ctx)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}
