// Package mosquitto runs Debian's real MQTT broker for tests.
//
// It keeps true that the broker is the test's own: a free port, a folder that goes with the test, nothing kept, and no process
// left behind. A test that needs it is left out by name where it is not installed.
//
// It never touches a broker of the machine.
package mosquitto

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// Options say what the broker is like. The zero value lets everybody in, on the loopback.
type Options struct {
	Address        string // IP to listen on; 127.0.0.1 when empty
	Port           uint16 // a free one when 0, which only works on this machine
	User, Password string // the one who is let in; empty: everybody
	TLS            bool   // with a certificate that nobody has signed

	// Command makes the command elsewhere, on a host of the lab; nil: on this machine.
	Command func(ctx context.Context, name string, args ...string) *exec.Cmd
}

// Broker is a broker that runs.
type Broker struct {
	Address string // IP:port
	URL     string // with the user and password

	t       testing.TB
	options Options
	config  string
	process *lab.Process
}

// Start starts a broker and waits until it answers. It ends with the test.
func Start(t testing.TB, o Options) *Broker {
	t.Helper()
	if o.Address == "" {
		o.Address = "127.0.0.1"
	}
	if o.Command == nil {
		o.Command = here
	}
	if o.Port == 0 {
		o.Port = freePort(t)
	}
	b := &Broker{Address: net.JoinHostPort(o.Address, fmt.Sprint(o.Port)), t: t, options: o}
	u := url.URL{Scheme: "mqtt", Host: b.Address}
	if o.User != "" {
		u.User = url.UserPassword(o.User, o.Password)
	}
	b.URL = u.String()
	b.configure(find(t, "mosquitto"), find(t, "mosquitto_passwd"))
	b.Again()
	return b
}

// here makes a command on this machine, with a process group of its own, which is what lab.Process ends.
func here(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// find gives the path of a program; Debian keeps the broker out of an ordinary user's PATH.
func find(t testing.TB, name string) string {
	t.Helper()
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/local/sbin", "/usr/sbin", "/sbin") {
		if path := filepath.Join(dir, name); executable(path) {
			return path
		}
	}
	lab.LeaveOut(t, name+" is not installed (Debian's package mosquitto)")
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

func (b *Broker) configure(program, passwd string) {
	b.t.Helper()
	dir := b.t.TempDir()
	lines := []string{
		fmt.Sprintf("listener %d %s", b.options.Port, b.options.Address), "persistence false", "log_dest stderr", "log_type all",
		"connection_messages true", fmt.Sprintf("allow_anonymous %v", b.options.User == ""),
	}
	if os.Geteuid() == 0 {
		lines = append(lines, "user root") // else it becomes a user who cannot read dir
	}
	if b.options.User != "" {
		file := filepath.Join(dir, "passwords")
		cmd := exec.CommandContext(b.t.Context(), passwd, "-b", "-c", file, b.options.User, b.options.Password)
		if out, err := cmd.CombinedOutput(); err != nil {
			b.t.Fatalf("mosquitto_passwd: %v: %s", err, out)
		}
		lines = append(lines, "password_file "+file)
	}
	if b.options.TLS {
		b.certify(dir)
		lines = append(lines, "certfile "+filepath.Join(dir, "cert.pem"), "keyfile "+filepath.Join(dir, "key.pem"))
	}
	b.config = filepath.Join(dir, "mosquitto.conf")
	b.write(b.config, []byte(strings.Join(lines, "\n")+"\n"))
	b.options.Command = with(b.options.Command, program)
}

// with is a command whose program is known.
func with(command func(context.Context, string, ...string) *exec.Cmd, program string) func(context.Context, string, ...string) *exec.Cmd {
	return func(ctx context.Context, _ string, args ...string) *exec.Cmd { return command(ctx, program, args...) }
}

func (b *Broker) certify(dir string) {
	b.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(b.options.Address)},
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		b.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		b.t.Fatal(err)
	}
	b.write(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	b.write(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

func (b *Broker) write(path string, data []byte) {
	b.t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// Kill ends the broker without a goodbye; what it retained is gone.
func (b *Broker) Kill() {
	b.t.Helper()
	b.process.Kill()
}

// Again starts the broker at the same address.
func (b *Broker) Again() {
	b.t.Helper()
	b.process = lab.Start(b.t, b.options.Command(context.WithoutCancel(b.t.Context()), "", "-c", b.config))
	b.process.WaitFor(b.t, "running", 20*time.Second) // "mosquitto version 2.0.11 running", written when it listens
}

// Said is what it has logged.
func (b *Broker) Said() string { return b.process.Output() }

func freePort(t testing.TB) uint16 {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}
