package gateway

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// This file is SOAP as UPnP uses it (UPnP Device Architecture, section 3.2): a POST with an action and its arguments, and an
// answer with arguments, or with a fault that has a number.

// Numbers of faults (WANIPConnection:2, section 2.5; UPnP Device Architecture, table 3-3).
const (
	faultArguments    = 402 // also: only leases without end
	faultAction       = 501
	faultOutOfRange   = 601
	faultUnauthorised = 606
	faultNoIndex      = 713
	faultNoEntry      = 714
	faultTaken        = 718
	faultOnlyForever  = 725
	faultNoneListed   = 730
)

// fault is a router's no.
type fault struct {
	status int
	code   int // of UPnP; 0: it gave none
	text   string
}

func (f *fault) Error() string {
	return fmt.Sprintf("the router answers with error %d (HTTP %d) %s", f.code, f.status, f.text)
}

// Unwrap makes every fault a refusal.
func (f *fault) Unwrap() error { return ErrRefused }

// codeOf is the number of the router's no; -1: err is something else.
func codeOf(err error) int {
	if f, ok := errors.AsType[*fault](err); ok {
		return f.code
	}
	return -1
}

// argument is a name and a value; their order matters to some routers.
type argument struct{ name, value string }

// call asks a service to do an action. The answer's arguments are by name.
func (g *Gateway) call(ctx context.Context, s service, action string, in ...argument) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, g.tuning.call)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.control.String(), bytes.NewReader(envelope(s.kind, action, in)))
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", action, err)
	}
	req.Header.Set("Content-Type", `text/xml; charset="utf-8"`)
	req.Header["SOAPAction"] = []string{`"` + s.kind + "#" + action + `"`} // as the standard spells it: some compare letters
	status, body, err := g.exchange(req)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", action, err)
	}
	out, err := parseAnswer(status, body)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", action, err)
	}
	return out, nil
}

func envelope(kind, action string, in []argument) []byte {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0"?>` + "\r\n" + `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" ` +
		`s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>`)
	fmt.Fprintf(&b, `<u:%s xmlns:u="%s">`, action, kind)
	for _, a := range in {
		fmt.Fprintf(&b, "<%s>", a.name)
		_ = xml.EscapeText(&b, []byte(a.value)) // into memory: it cannot fail
		fmt.Fprintf(&b, "</%s>", a.name)
	}
	fmt.Fprintf(&b, "</u:%s></s:Body></s:Envelope>\r\n", action)
	return b.Bytes()
}

// parseAnswer reads an answer's arguments. A status that is not 200 is a fault, whatever the body says.
func parseAnswer(status int, body []byte) (map[string]string, error) {
	out := make(map[string]string)
	isFault := status != http.StatusOK
	err := leaves(body, func(path []string, text string) {
		name := path[len(path)-1]
		for _, p := range path {
			isFault = isFault || p == "Fault"
		}
		if _, ok := out[name]; !ok && len(out) < 64 {
			out[name] = text
		}
	})
	if isFault {
		code, _ := strconv.Atoi(out["errorCode"]) // none is 0
		return nil, &fault{status: status, code: code, text: clean(out["errorDescription"], 64)}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	return out, nil
}

const (
	maxDepth  = 32
	maxLeaves = 16 << 10 // 512 mappings of eight each, with room
)

// leaves calls do for each element that has no element in it, with the local names from the root down to it and its text. XML
// of routers is often not well formed, and its encoding is not always what it says: what is not UTF-8 counts as Latin-1.
func leaves(body []byte, do func(path []string, text string)) error {
	d := xml.NewDecoder(bytes.NewReader(readable(body)))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // it is UTF-8 by now
	var path []string
	var text strings.Builder
	leaf := false
	for seen := 0; seen < maxLeaves; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(path) == maxDepth {
				return fmt.Errorf("more than %d elements inside each other", maxDepth)
			}
			path, leaf = append(path, t.Name.Local), true
			text.Reset()
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			if leaf && len(path) > 0 {
				do(path, strings.TrimSpace(text.String()))
				seen++
			}
			leaf = false
			text.Reset()
			path = path[:max(len(path)-1, 0)]
		}
	}
	return errors.New("more elements than any router has")
}

// readable is the body as UTF-8: what is not is taken for ISO 8859-1, whatever it says of itself.
func readable(body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	runes := make([]rune, len(body))
	for i, c := range body {
		runes[i] = rune(c)
	}
	return []byte(string(runes))
}
