package realha

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"time"
)

// demoCamera comes with the demo integration (Options.Camera).
const demoCamera = "camera.demo_camera"

// Frames is a camera picture that is sent again and again, MJPEG over one chunked answer that never ends by itself.
type Frames struct {
	body     io.Closer
	text     *textproto.Reader
	boundary string
}

// Camera opens the stream of the demo camera: a picture now and then one every half second. The visitor is signed in.
// It waits until Home Assistant has started everything, because cameras come late.
func (v *Visitor) Camera(ctx context.Context) (*Frames, error) {
	if err := v.started(ctx); err != nil {
		return nil, fmt.Errorf("opening the camera's stream: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.Base+"/api/camera_proxy_stream/"+demoCamera, nil)
	if err != nil {
		return nil, err
	}
	resp, err := v.do(req, http.StatusOK)
	if err != nil {
		return nil, fmt.Errorf("opening the camera's stream: %w", err)
	}
	kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/x-mixed-replace" || resp.ContentLength >= 0 {
		resp.Body.Close()
		return nil, fmt.Errorf("opening the camera's stream: expected endless %q, got %q of length %d",
			"multipart/x-mixed-replace", resp.Header.Get("Content-Type"), resp.ContentLength)
	}
	// Home Assistant names the boundary with the two dashes that RFC 2046, section 5.1.1, would add, and adds none.
	return &Frames{resp.Body, textproto.NewReader(bufio.NewReader(resp.Body)), params["boundary"]}, nil
}

// Next waits for the next picture.
func (f *Frames) Next() ([]byte, error) {
	line, err := f.text.ReadLine()
	if err != nil {
		return nil, fmt.Errorf("waiting for a picture: %w", err)
	}
	if line != f.boundary {
		return nil, fmt.Errorf("waiting for a picture: expected the boundary %q, got %q", f.boundary, line)
	}
	header, err := f.text.ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("reading a picture: %w", err)
	}
	size, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil || size < 0 || size > 16<<20 {
		return nil, fmt.Errorf("reading a picture: length %q", header.Get("Content-Length"))
	}
	picture := make([]byte, size+len("\r\n"))
	if _, err := io.ReadFull(f.text.R, picture); err != nil {
		return nil, fmt.Errorf("reading a picture: %w", err)
	}
	return picture[:size], nil
}

// Close ends the stream from this side.
func (f *Frames) Close() { f.body.Close() }

// started waits until Home Assistant has nothing more to start.
func (v *Visitor) started(ctx context.Context) error {
	for {
		body, err := v.Get(ctx, "/api/config")
		if err != nil {
			return err
		}
		var config struct {
			State string `json:"state"`
		}
		if err := json.Unmarshal(body, &config); err != nil {
			return fmt.Errorf("reading /api/config: %w", err)
		}
		if strings.EqualFold(config.State, "running") {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the state %q, which is %q: %w", "RUNNING", config.State, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
