package health

import (
	"strings"
	"testing"
)

func TestAllChangesHaveWords(t *testing.T) {
	for _, c := range Whats() {
		text := because(Changed, "what", string(c)).Text()
		if strings.Contains(text, string(c)) && strings.Contains(string(c), "_") || !strings.Contains(text, What(c)) {
			t.Errorf("%s is said as %q", c, text)
		}
	}
	if got := What("a meteorite"); got != "a meteorite" {
		t.Errorf("what nobody has heard of is %q", got)
	}
}
