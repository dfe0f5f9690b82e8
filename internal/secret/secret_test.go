package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestNothingPrintsIt(t *testing.T) {
	const plain = "correct horse"
	type inside struct{ field Text }
	s := Of(plain)
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "in", inside{s})
	encoded, err := json.Marshal(map[string]any{"a": s, "b": []Text{s}})
	if err != nil {
		t.Fatal(err)
	}
	out := log.String() + string(encoded)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p"} {
		out += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, &s) + fmt.Sprintf(verb, inside{s})
	}
	if strings.Contains(out, plain) || strings.Contains(out, fmt.Sprintf("%x", plain)) {
		t.Errorf("it can be read: %s", out)
	}
	if s.Reveal() != plain || s != Of(plain) || !Of("").IsZero() || (Text{}).Reveal() != "" {
		t.Error("it is not what was hidden")
	}
}
