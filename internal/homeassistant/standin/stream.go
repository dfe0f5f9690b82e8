package standin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"
)

// stream never ends: a numbered line every 50 ms, each sent at once, as a camera sends its pictures.
func (h *HomeAssistant) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=--frameboundary")
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	out := http.NewResponseController(w)
	for n := 1; ; n++ {
		if _, err := fmt.Fprintf(w, "frame %d\n", n); err != nil {
			return
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// Upload is the answer to an upload: what arrived.
type Upload struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// upload counts and hashes a body of any length, without keeping it. Home Assistant answers with the id of the backup.
func (h *HomeAssistant) upload(w http.ResponseWriter, r *http.Request) {
	sum := sha256.New()
	n, err := io.Copy(sum, r.Body)
	if err != nil {
		say(w, http.StatusBadRequest)
		return
	}
	answer(w, http.StatusCreated, Upload{Bytes: n, SHA256: hex.EncodeToString(sum.Sum(nil))})
}
