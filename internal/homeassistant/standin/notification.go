package standin

import (
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// This file is Home Assistant's side bar: what it says there of failed sign-ins, and what others have it say.

// Note is a notification.
type Note struct {
	Title, Message string
	Created        time.Time
}

// Notes are the notifications that stand, by id.
func (h *HomeAssistant) Notes() map[string]Note {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.notes)
}

// Note writes a notification, over the one with the same id.
func (h *HomeAssistant) Note(id string, n Note) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.notes[id] = n
}

// fail counts a failed sign-in and says so, as homeassistant/components/http/ban.py does; it finds no name of the caller.
func (h *HomeAssistant) fail(r *http.Request) {
	h.failures.Add(1)
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr
	}
	h.Note("http-login", Note{
		"Login attempt failed",
		fmt.Sprintf("Login attempt or request with invalid authentication from %s (%s). See the log for details.", from, from),
		time.Now(),
	})
}

func (h *HomeAssistant) notifications() []object {
	notes := h.Notes()
	list := []object{}
	for _, id := range slices.Sorted(maps.Keys(notes)) {
		n := notes[id]
		list = append(list, object{
			"notification_id": id, "title": n.Title, "message": n.Message, "created_at": n.Created.UTC().Format("2006-01-02T15:04:05.000000-07:00"),
		})
	}
	return list
}

type noteData struct {
	ID      string `json:"notification_id"`
	Title   string `json:"title"`
	Message string `json:"message"`
}

func (h *HomeAssistant) create(w http.ResponseWriter, r *http.Request) {
	var d noteData
	if !read(r, &d) || d.Message == "" {
		say(w, http.StatusBadRequest)
		return
	}
	h.Note(d.ID, Note{d.Title, d.Message, time.Now()})
	answer(w, http.StatusOK, []object{})
}

func (h *HomeAssistant) dismiss(w http.ResponseWriter, r *http.Request) {
	var d noteData
	if !read(r, &d) || d.ID == "" {
		say(w, http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.notes, d.ID)
	answer(w, http.StatusOK, []object{})
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func adapter(addresses []string) object {
	v4, v6 := []object{}, []object{}
	for _, a := range addresses {
		if strings.Contains(a, ":") {
			v6 = append(v6, object{"address": a, "flowinfo": 0, "scope_id": 0, "network_prefix": 64})
		} else {
			v4 = append(v4, object{"address": a, "network_prefix": 24})
		}
	}
	return object{"name": "eth0", "index": 2, "enabled": true, "auto": true, "default": true, "ipv4": v4, "ipv6": v6}
}
