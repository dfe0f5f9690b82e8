package mqtt

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"time"
)

// guarded is the connection as paho sees it. paho makes room for a packet as large as its first bytes say, up to 256 MiB, so
// those are read here first (MQTT 5, section 2.1); and it would wait for ever on a broker that does not read.
type guarded struct {
	net.Conn
	sync.Mutex // paho takes it around the several writes of one packet

	in     *bufio.Reader
	header []byte // what is left to hand on of a packet's first bytes
	body   int    // and of the rest
}

func guard(conn net.Conn) *guarded {
	return &guarded{Conn: conn, in: bufio.NewReaderSize(conn, 512)}
}

// Read is called from one goroutine at a time.
func (g *guarded) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(g.header) == 0 && g.body == 0 {
		if err := g.next(); err != nil {
			return 0, err
		}
	}
	if len(g.header) > 0 {
		n := copy(p, g.header)
		g.header = g.header[n:]
		return n, nil
	}
	n, err := g.in.Read(p[:min(len(p), g.body)])
	g.body -= n
	return n, err
}

// next reads the first bytes of a packet: its type, and its length in up to four bytes of seven bits each, the lowest first.
func (g *guarded) next() error {
	kind, err := g.in.ReadByte()
	if err != nil {
		return err
	}
	header := []byte{kind}
	length := 0
	for shift := 0; ; shift += 7 {
		b, err := g.in.ReadByte()
		if err != nil {
			return err
		}
		header = append(header, b)
		length |= int(b&0x7f) << shift
		if length > mostPacket || shift == 21 && b >= 0x80 {
			return fmt.Errorf("the MQTT broker sent a packet of more than %d bytes", mostPacket)
		}
		if b < 0x80 {
			g.header, g.body = header, length
			return nil
		}
	}
}

func (g *guarded) Write(p []byte) (int, error) {
	_ = g.SetWriteDeadline(time.Now().Add(packetPatience))
	return g.Conn.Write(p)
}
