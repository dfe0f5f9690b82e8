package witness

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// A frame on the wire, all numbers big-endian:
//
//	4 bytes    "HGW" and the version
//	1 byte     kind
//	3 bytes    length of the body
//	4 bytes    length of the padding
//	           body, JSON
//	64 bytes   Ed25519 signature over a fixed text, the 12 bytes above and the body
//	           padding, of which nothing is read but its length
//
// The kind is signed, so that no message can stand for another, and so is the length of the padding.

type kind byte

const (
	kindHello kind = iota + 1
	kindChallenge
	kindQuestion
	kindAnswer
	kindRefusal
)

const (
	magic        = "HGW\x01"
	headerLength = 12
	signedText   = "hearthgate witness, version 1\n"
	minHello     = 1200     // bytes in, before anything is said: QUIC's Initial (RFC 9000, section 8.1)
	maxBody      = 64 << 10 // 128 results and what they show of themselves
	maxPadding   = 1 << 20
)

// maxBodies are the longest bodies of each kind.
var maxBodies = map[kind]int{
	kindHello: 1024, kindChallenge: 1024, kindQuestion: 8 << 10, kindAnswer: maxBody, kindRefusal: 1024,
}

// errFrame is what is no frame of ours. Whoever sent it hears nothing.
var errFrame = errors.New("that is no message of a witness")

// frame is one message as it came in.
type frame struct {
	kind      kind
	header    [headerLength]byte
	body      []byte
	signature [ed25519.SignatureSize]byte
	padding   int
}

// encode makes a message of at least length bytes; what is missing is padding.
func encode(k kind, message any, key ed25519.PrivateKey, length int) ([]byte, error) {
	body, err := json.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("writing a message: %w", err)
	}
	if len(body) > maxBodies[k] {
		return nil, fmt.Errorf("writing a message: it has %d bytes, and %d are allowed", len(body), maxBodies[k])
	}
	whole := headerLength + len(body) + ed25519.SignatureSize
	padding := min(max(length-whole, 0), maxPadding)
	header := headerOf(k, len(body), padding)
	out := make([]byte, 0, whole+padding)
	out = append(append(out, header[:]...), body...)
	out = append(out, ed25519.Sign(key, signed(header, body))...)
	return append(out, make([]byte, padding)...), nil
}

func headerOf(k kind, body, padding int) (h [headerLength]byte) {
	copy(h[:], magic)
	binary.BigEndian.PutUint32(h[4:], uint32(body))
	h[4] = byte(k)
	binary.BigEndian.PutUint32(h[8:], uint32(padding))
	return h
}

func signed(header [headerLength]byte, body []byte) []byte {
	return append(append([]byte(signedText), header[:]...), body...)
}

// readFrame reads a message of one of the kinds, without its padding.
func readFrame(r io.Reader, kinds ...kind) (f frame, err error) {
	if _, err := io.ReadFull(r, f.header[:]); err != nil {
		return f, fmt.Errorf("reading a message: %w", err)
	}
	f.kind = kind(f.header[4])
	length := binary.BigEndian.Uint32(f.header[4:]) & 0xffffff
	padding := binary.BigEndian.Uint32(f.header[8:])
	if string(f.header[:4]) != magic || !bytes.Contains(kindBytes(kinds), f.header[4:5]) ||
		length > uint32(maxBodies[f.kind]) || padding > maxPadding {
		return f, errFrame
	}
	f.padding = int(padding)
	f.body = make([]byte, length)
	if _, err := io.ReadFull(r, f.body); err != nil {
		return f, fmt.Errorf("reading a message: %w", err)
	}
	if _, err := io.ReadFull(r, f.signature[:]); err != nil {
		return f, fmt.Errorf("reading a message: %w", err)
	}
	return f, nil
}

func kindBytes(kinds []kind) (out []byte) {
	for _, k := range kinds {
		out = append(out, byte(k))
	}
	return out
}

// skipPadding reads what comes after the signature and keeps none of it.
func (f frame) skipPadding(r io.Reader) error {
	if _, err := io.CopyN(io.Discard, r, int64(f.padding)); err != nil {
		return fmt.Errorf("reading a message: %w", err)
	}
	return nil
}

// length is how many bytes the whole message has on the wire.
func (f frame) length() int { return headerLength + len(f.body) + len(f.signature) + f.padding }

func (f frame) signedBy(key publicKey) bool {
	return ed25519.Verify(key[:], signed(f.header, f.body), f.signature[:])
}

// decode reads the body. What is not in the message's own fields, or comes after it, is an error.
func (f frame) decode(into any) error {
	d := json.NewDecoder(bytes.NewReader(f.body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("reading a message: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errFrame
	}
	return nil
}
