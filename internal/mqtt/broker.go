package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"

	"github.com/hearthgate/hearthgate/internal/secret"
)

// A broker is where messages go.
type broker struct {
	address  string // host:port
	host     string // for its certificate
	secure   bool
	user     string
	password secret.Text
}

// parse reads mqtt://[user:password@]host[:1883] and mqtts://[user:password@]host[:8883]. Its errors repeat nothing of it.
func parse(text secret.Text) (broker, error) {
	u, err := url.Parse(text.Reveal())
	if err != nil || u.Hostname() == "" || u.Scheme != "mqtt" && u.Scheme != "mqtts" {
		return broker{}, errors.New("the MQTT broker's address is not mqtt://HOST or mqtts://HOST")
	}
	b := broker{host: u.Hostname(), secure: u.Scheme == "mqtts", user: u.User.Username()}
	password, _ := u.User.Password()
	b.password = secret.Of(password)
	port := u.Port()
	switch {
	case port != "":
	case b.secure:
		port = "8883"
	default:
		port = "1883"
	}
	b.address = net.JoinHostPort(b.host, port)
	return b, nil
}

// dial connects. The certificate of mqtts has to be one that this machine trusts: unlike Home Assistant, a broker is no pinned
// machine, and a password goes to it.
func (b broker) dial(ctx context.Context) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.address)
	if err != nil {
		return nil, err
	}
	if b.secure {
		over := tls.Client(conn, &tls.Config{ServerName: b.host, MinVersion: tls.VersionTLS12})
		if err := over.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		conn = over
	}
	return guard(conn), nil
}
