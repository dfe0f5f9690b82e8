package witness

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func TestTheControlAnswersABrowser(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	get := func(path string) (status int, h http.Header, text string) {
		r, err := http.Get("http://" + b.web.String() + path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		all, _ := io.ReadAll(r.Body)
		return r.StatusCode, r.Header, string(all)
	}
	_, header, text := get("/control?n=abc-123_Z")
	var got map[string]string
	if err := json.Unmarshal([]byte(text), &got); err != nil || got["address"] != "127.0.0.1" || got["nonce"] != "abc-123_Z" || len(got) != 2 {
		t.Errorf("it says %s, %v", text, err)
	}
	if header.Get("Access-Control-Allow-Origin") != "*" || header.Get("Cache-Control") != "no-store" {
		t.Errorf("its header is %v", header)
	}
	for _, path := range []string{
		"/", "/control", "/control?n=", "/control?n=%3Cscript%3E", "/control?n=" + strings.Repeat("a", 65), "/control/", "/control/socket",
		"/manifest.json", "/../control?n=a", "//control?n=a",
	} {
		if status, _, _ := get(path); status != http.StatusNotFound {
			t.Errorf("%s is %d", path, status)
		}
	}
}

func TestTheControlsSocketSaysOneSentence(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	conn, err := net.Dial("tcp", b.web.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	// The key and its answer are those of RFC 6455, section 1.3.
	_, _ = io.WriteString(conn, "GET /control/socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	r := bufio.NewReader(conn)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols || response.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Errorf("it answers %d, %v", response.StatusCode, response.Header)
	}
	frame := make([]byte, 2+len(socketGreeting)+4)
	if _, err := io.ReadFull(r, frame); err != nil {
		t.Fatal(err)
	}
	if frame[0] != 0x81 || int(frame[1]) != len(socketGreeting) || string(frame[2:2+len(socketGreeting)]) != socketGreeting {
		t.Errorf("it says %q", frame)
	}
	_, _ = conn.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 3, 0xe8}) // our close, masked
	_ = conn.(*net.TCPConn).CloseWrite()
	if rest, err := io.ReadAll(r); len(rest) != 0 || err != nil {
		t.Errorf("then it says %q, %v", rest, err)
	}
}

func TestTheControlIsNotForMany(t *testing.T) {
	t.Parallel()
	b := startBench(t, nil)
	var closed int
	for range controlPerSource + 2 {
		conn, err := net.Dial("tcp", b.web.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			closed++
		}
	}
	if closed != 2 {
		t.Errorf("%d of %d are closed", closed, controlPerSource+2)
	}
}

func TestAControlThatIsOff(t *testing.T) {
	t.Parallel()
	b := startBench(t, func(c *Config) { c.Control = "off" })
	if b.web.IsValid() || b.book.Listens().Control != 0 || b.invite.Control != 0 {
		t.Errorf("it listens at %v", b.web)
	}
}
