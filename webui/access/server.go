package access

import (
	"log/slog"
	"net/http"
	"time"
)

// What one request may cost. A page, its form and its headers are a few KiB; a phone on a bad Wi-Fi sends them in a
// second.
const (
	headerTime = 5 * time.Second
	readTime   = 15 * time.Second
	writeTime  = 30 * time.Second
	idleTime   = time.Minute
	maxHeader  = 16 << 10 // bytes; net/http adds 4 KiB of its own
	maxBody    = 16 << 10 // bytes
)

// Server is an HTTP server that waits for nobody long. An event stream goes on for longer: it moves its write deadline
// with [http.ResponseController] before each event, so that who reads nothing is still given up. Nothing else has to be
// lifted, for net/http stops the time for reading when a request has been read.
func Server(h http.Handler, log *slog.Logger) *http.Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:           http.MaxBytesHandler(h, maxBody),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		Protocols:         protocols,
		ConnState:         nextRequest,
		// Else net/http answers "OPTIONS *" itself, whatever the Host.
		DisableGeneralOptionsHandler: true,
		// What goes wrong here is a caller's doing, and must not be a way to fill the log.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
