package pinger

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
)

const mostBody = 10_000 // characters of a page that are kept

func (p *Pinger) run(m *measurement, target netip.Addr) {
	timeout := p.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	interval := p.Interval
	if interval == 0 {
		interval = 500 * time.Millisecond
	}
	results := make([]map[string]any, len(m.probes))
	var wg sync.WaitGroup
	for i, probe := range m.probes {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(p.ctx, timeout)
			defer cancel()
			results[i] = probe.measure(ctx, interval, m.question, netip.AddrPortFrom(target, m.question.Options.Port))
		})
	}
	wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	m.results = results
}

func (p Probe) measure(ctx context.Context, interval time.Duration, q Question, at netip.AddrPort) map[string]any {
	switch {
	case p.Offline:
		return map[string]any{"status": "offline", "rawOutput": "This probe is currently offline. Please try again later."}
	case q.Type == "ping":
		return p.ping(ctx, interval, q, at)
	default:
		return p.fetch(ctx, q, at)
	}
}

func (p Probe) connect(ctx context.Context, at netip.AddrPort) (net.Conn, error) {
	network := "tcp4"
	if at.Addr().Is6() {
		network = "tcp6"
	}
	if p.Dial == nil {
		return new(net.Dialer).DialContext(ctx, network, at.String())
	}
	return p.Dial(ctx, network, at.String())
}

// ping connects as often as it was told and says only how often it came through.
func (p Probe) ping(ctx context.Context, interval time.Duration, q Question, at netip.AddrPort) map[string]any {
	var mu sync.Mutex
	var wg sync.WaitGroup
	timings, total := []any{}, max(q.Options.Packets, 1)
	for i := range total {
		wg.Go(func() {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Duration(i) * interval):
			}
			began := time.Now()
			conn, err := p.connect(ctx, at)
			if err != nil {
				return
			}
			conn.Close()
			mu.Lock()
			defer mu.Unlock()
			timings = append(timings, map[string]any{"rtt": time.Since(began).Seconds() * 1000})
		})
	}
	wg.Wait()
	rcv := len(timings)
	return map[string]any{
		"status": "finished", "resolvedAddress": at.Addr().String(), "resolvedHostname": at.Addr().String(), "timings": timings,
		"rawOutput": fmt.Sprintf("PING %s (%s) on port %d.\n", at.Addr(), at.Addr(), at.Port()),
		"stats": map[string]any{
			"total": total, "rcv": rcv, "drop": total - rcv, "loss": 100 * (total - rcv) / total, "min": nil, "avg": nil, "max": nil,
		},
	}
}

func (p Probe) fetch(ctx context.Context, q Question, at netip.AddrPort) map[string]any {
	conn, err := p.connect(ctx, at)
	if err != nil {
		return failed(err, "connect", at)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	var certificate any
	if q.Options.Protocol == "HTTPS" {
		secure := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		if err := secure.HandshakeContext(ctx); err != nil {
			return failed(err, "read", at)
		}
		sum := sha256.Sum256(secure.ConnectionState().PeerCertificates[0].Raw)
		certificate = map[string]any{"authorized": false, "fingerprint256": strings.ReplaceAll(fmt.Sprintf("% X", sum), " ", ":")}
		conn = secure
	}
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: globalping probe (https://github.com/jsdelivr/globalping)\r\n"+
		"Connection: close\r\n\r\n", q.Options.Request.Method, q.Options.Request.Path, at.Addr())
	if err != nil {
		return failed(err, "write", at)
	}
	response, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, 1<<20)), nil)
	if err != nil {
		return failed(err, "read", at)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, mostBody+1))
	if err != nil {
		return failed(err, "read", at)
	}
	truncated := len(body) > mostBody
	return map[string]any{
		"status": "finished", "resolvedAddress": at.Addr().String(), "statusCode": response.StatusCode,
		"statusCodeName": http.StatusText(response.StatusCode), "headers": map[string]any{}, "rawHeaders": "",
		"rawBody": string(body[:min(len(body), mostBody)]), "truncated": truncated, "tls": certificate, "rawOutput": "",
		"timings": map[string]any{"total": 1, "dns": 0, "tcp": 1, "tls": nil, "firstByte": 1, "download": 0},
	}
}

// failed says it in the words of Node. Whatever is known of the connection is left out, as the probes do.
func failed(err error, doing string, at netip.AddrPort) map[string]any {
	source, text := "target", "Response does not match the HTTP/1.1 protocol (Expected HTTP/)"
	timeout, isTimeout := errors.AsType[net.Error](err)
	switch {
	case isTimeout && timeout.Timeout(), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		text = "Request timeout."
	case errors.Is(err, syscall.ECONNREFUSED):
		text = doing + " ECONNREFUSED " + at.String()
	case errors.Is(err, syscall.EHOSTUNREACH):
		text = doing + " EHOSTUNREACH " + at.String()
	case errors.Is(err, syscall.ENETUNREACH):
		text = doing + " ENETUNREACH " + at.String()
	case errors.Is(err, syscall.EACCES):
		source, text = "internal", doing+" EACCES "+at.String()
	case errors.Is(err, syscall.ECONNRESET):
		text = "read ECONNRESET"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		text = "other side closed"
	}
	return map[string]any{
		"status": "failed", "failureSource": source, "rawOutput": text, "resolvedAddress": nil, "headers": map[string]any{},
		"rawHeaders": nil, "rawBody": nil, "truncated": false, "statusCode": nil, "statusCodeName": nil, "tls": nil,
		"timings": map[string]any{"total": nil, "dns": nil, "tcp": nil, "tls": nil, "firstByte": nil, "download": nil},
	}
}
