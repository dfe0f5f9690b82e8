package tunnel

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"golang.zx2c4.com/wireguard/device"
	"golang.zx2c4.com/wireguard/ipc"
)

// serveUAPI opens /var/run/wireguard/NAME.sock, which is where `wg show` and wgctrl look for a userspace device
// (https://www.wireguard.com/xplatform/). Not being allowed to make it is the ordinary case and no fault. The returned
// function stops it.
func (s *Server) serveUAPI(dev *device.Device) (stop func()) {
	if s.cfg.Interface == "" {
		return func() {}
	}
	listener, err := openUAPI(s.cfg.Interface)
	if err != nil {
		s.cfg.Log.Debug("no socket for wg show", "reason", err)
		return func() {}
	}
	s.mu.Lock()
	s.socket = listener.Addr().String()
	s.mu.Unlock()

	var connections sync.WaitGroup
	var mu sync.Mutex
	open := make(map[net.Conn]bool)
	connections.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			connections.Go(func() {
				dev.IpcHandle(c)
				mu.Lock()
				delete(open, c)
				mu.Unlock()
			})
		}
	})
	return func() {
		listener.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		connections.Wait()
	}
}

func openUAPI(name string) (net.Listener, error) {
	file, err := ipc.UAPIOpen(name)
	if err != nil {
		return nil, fmt.Errorf("making the socket: %w", err)
	}
	listener, err := ipc.UAPIListen(name, file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("watching the socket: %w", err), closeQuietly(file))
	}
	return listener, nil
}

func closeQuietly(c io.Closer) error { return c.Close() }

// Socket is the path at which `wg show` finds this device; empty when the process may not make it.
func (s *Server) Socket() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.socket
}
