package witness

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net/netip"
	"reflect"
	"testing"
)

func TestAMessageIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	key := newSeed()
	want := hello{key.public(), newNonce()}
	b, err := encode(kindHello, want, key.private(), minHello)
	if err != nil || len(b) != minHello {
		t.Fatalf("it has %d bytes, %v", len(b), err)
	}
	r := bytes.NewReader(b)
	f, err := readFrame(r, kindHello)
	if err != nil {
		t.Fatal(err)
	}
	var got hello
	if err := f.decode(&got); err != nil || got != want {
		t.Errorf("read %v, %v", got, err)
	}
	if f.length() != minHello || f.skipPadding(r) != nil || r.Len() != 0 {
		t.Error("its length is not what came in")
	}
	if !f.signedBy(key.public()) || f.signedBy(newSeed().public()) {
		t.Error("it is not signed by its key alone")
	}
	for i := range headerLength + len(f.body) {
		b[i] ^= 1
		if f, err := readFrame(bytes.NewReader(b), kindHello, kindQuestion, kindAnswer); err == nil && f.signedBy(key.public()) {
			t.Errorf("byte %d may be anything", i)
		}
		b[i] ^= 1
	}
}

func TestWhatIsNoMessage(t *testing.T) {
	t.Parallel()
	key := newSeed()
	good, err := encode(kindHello, hello{Key: key.public()}, key.private(), minHello)
	if err != nil {
		t.Fatal(err)
	}
	change := func(do func(b []byte)) []byte {
		b := bytes.Clone(good)
		do(b)
		return b
	}
	for name, b := range map[string][]byte{
		"other magic":    change(func(b []byte) { b[0] = 'X' }),
		"other version":  change(func(b []byte) { b[3] = 2 }),
		"other kind":     change(func(b []byte) { b[4] = byte(kindAnswer) }),
		"no kind":        change(func(b []byte) { b[4] = 0 }),
		"a long body":    change(func(b []byte) { b[5] = 1 }),
		"a long padding": change(func(b []byte) { binary.BigEndian.PutUint32(b[8:], maxPadding+1) }),
	} {
		if _, err := readFrame(bytes.NewReader(b), kindHello, kindQuestion); !errors.Is(err, errFrame) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := range len(good) - 1 {
		r := bytes.NewReader(good[:n])
		f, err := readFrame(r, kindHello)
		if err == nil {
			err = f.skipPadding(r)
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("the first %d bytes: %v", n, err)
		}
	}
	for _, body := range []string{`{"key":"x"}`, `{} {}`, `{"more":1}`, `[]`, `{"nonce":"` + string(make([]byte, 9)) + `"}`} {
		if (frame{body: []byte(body)}).decode(&hello{}) == nil {
			t.Errorf("%q is a hello", body)
		}
	}
}

// FuzzDecodeFrame is what a stranger sends, up to what a guest's question may mean.
func FuzzDecodeFrame(f *testing.F) {
	key := newSeed()
	for _, m := range []any{hello{key.public(), newNonce()}, signedQuestion{Question: Question{Targets: portsOf(80, 443), Names: []string{"a.b"}}}} {
		for _, k := range []kind{kindHello, kindQuestion} {
			b, err := encode(k, m, key.private(), minHello)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	from := netip.MustParseAddr("2a77:db8::1")
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bytes.NewReader(b)
		m, err := readFrame(r, kindHello, kindQuestion)
		if err != nil {
			return
		}
		if len(m.body) > maxBodies[m.kind] || m.padding > maxPadding {
			t.Fatalf("it read %d and %d bytes", len(m.body), m.padding)
		}
		m.signedBy(key.public())
		if m.kind == kindHello {
			_ = m.decode(&hello{})
			return
		}
		var q signedQuestion
		if m.decode(&q) != nil || q.check(from, nil) != nil {
			return
		}
		for _, target := range q.Targets {
			if a, ok := target.at(from); !ok || network(a) != network(from) {
				t.Fatalf("%v is a target", a)
			}
			for _, port := range target.Ports {
				if !allowed(port, nil) {
					t.Fatalf("port %d is allowed", port)
				}
			}
		}
	})
}

// FuzzDecodeAnswer is what a witness sends that means harm.
func FuzzDecodeAnswer(f *testing.F) {
	f.Add([]byte(`{"address":"11.0.1.5","results":[{"address":"11.0.1.5","port":80,"state":"open","shows":[{"http":true}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var a Answer
		if (frame{body: body}).decode(&a) != nil {
			return
		}
		q := Question{Targets: portsOf(80)}
		if q.answeredBy(a) && (len(a.Results) != 1 || a.Results[0].Port != 80 || a.Results[0].Address != a.Address) {
			t.Fatalf("%+v answers", a)
		}
		_ = clean(string(body))
	})
}

func TestAFullAnswerFits(t *testing.T) {
	t.Parallel()
	var a Answer
	long := string(bytes.Repeat([]byte("f"), 64))
	name := string(bytes.Repeat([]byte("n"), maxHost))
	at := netip.MustParseAddr("2a77:db88:ffff:ffff:ffff:ffff:ffff:ffff")
	for i := range MaxPorts * MaxAddresses {
		r := Result{Address: at, Port: 65535, State: 3, Why: "no_answer", Attempts: 3, RTT: 10000, Reach: 1}
		if i < maxShows {
			s := Shown{Name: name}
			s.HTTP, s.Status, s.Manifest, s.Version, s.TLS = true, 200, long, long, long
			r.Shows = []Shown{s}
		}
		a.Results = append(a.Results, r)
	}
	b, err := encode(kindAnswer, a, newSeed().private(), 0)
	if err != nil {
		t.Fatal(err)
	}
	f, err := readFrame(bytes.NewReader(b), kindAnswer)
	if err != nil {
		t.Fatal(err)
	}
	var got Answer
	if err := f.decode(&got); err != nil || !reflect.DeepEqual(got, a) {
		t.Errorf("it is not read as it was written: %v", err)
	}
	t.Logf("%d bytes", len(b))
}
