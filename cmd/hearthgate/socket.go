package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// controlSocket is the Unix socket through which the owner of the machine talks to the appliance. Whoever can open it
// is the owner, so it is 0600, and it never stands for a moment with wider rights.
type controlSocket struct {
	net.Listener
	path string
}

// longestSocketPath is what fits into sockaddr_un on Linux (unix(7)) and on macOS, less the terminating zero.
const longestSocketPath = 103

func listenSocket(ctx context.Context, path string) (*controlSocket, error) {
	if err := socketFree(ctx, path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("making the control socket %q: %w", path, err)
	}
	// Made under another name and renamed once its mode is right.
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("making the control socket %q: %w", path, err)
	}
	// Between its making and its Chmod the socket would have what the umask leaves, and whoever connected then would stay.
	before := syscall.Umask(0o177)
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", fresh)
	syscall.Umask(before)
	if err != nil {
		return nil, fmt.Errorf("making the control socket %q: %w", path, err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	if err = os.Chmod(fresh, 0o600); err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		l.Close()
		os.Remove(fresh)
		return nil, fmt.Errorf("making the control socket %q: %w", path, err)
	}
	return &controlSocket{Listener: l, path: path}, nil
}

// socketFree makes sure that what stands at path is ours to replace: nothing, or a socket on which nobody answers. It
// changes nothing.
func socketFree(ctx context.Context, path string) error {
	if len(path) > longestSocketPath-len(".new") {
		return fmt.Errorf("making the control socket %q: the path is longer than %d bytes; choose a shorter one with --socket",
			path, longestSocketPath-len(".new"))
	}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("making the control socket: %w; choose a path that you may write with --socket", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("making the control socket %q: a file that is not a socket is there; move it away or choose another path with --socket", path)
	}
	var d net.Dialer
	if c, err := d.DialContext(ctx, "unix", path); err == nil {
		c.Close()
		return fmt.Errorf("making the control socket %q: another Hearthgate answers there; stop it or choose another path with --socket", path)
	}
	return nil
}

func (s *controlSocket) close() {
	s.Close()
	os.Remove(s.path)
}

// serve answers requests until ctx ends.
func (s *controlSocket) serve(ctx context.Context, h http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		// Requests that wait, such as event streams, end when we do.
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	defer shutDown(ctx, server)()
	if err := server.Serve(s.Listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the control socket: %w", err)
	}
	return nil
}
