package lab_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatIsMissingIsLeftOutByName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "left-out")
	for range 2 {
		cmd := child(t, "need sh no-such-program nor-this", "-test.v")
		cmd.Env = append(cmd.Env, "HEARTHGATE_LEFT_OUT="+file)
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- SKIP: TestScenario") {
			t.Errorf("%v\n%s", err, out)
		}
	}
	const line = "TestScenario: no-such-program is not installed (Debian's package no-such-program); " +
		"nor-this is not installed (Debian's package nor-this)\n"
	if text, err := os.ReadFile(file); err != nil || string(text) != line+line {
		t.Errorf("noted %q, %v", text, err)
	}
}

func TestNothingIsLeftOutInCI(t *testing.T) {
	cmd := child(t, "need no-such-program")
	cmd.Env = append(cmd.Env, "CI=true")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no-such-program is not installed") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestWhatIsThereIsNotMissed(t *testing.T) {
	out, err := child(t, "need sh ip namespaces").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "nothing is missing") {
		t.Errorf("%v\n%s", err, out)
	}
}

// Without capabilities, and with no user namespaces allowed, the tests still run, on the machine, and a lab is refused.
func TestWhereNoNamespacesCanBeMade(t *testing.T) {
	plain := child(t, "lab", "-test.v")
	cmd := child(t, "lab", "-test.v")
	cmd.Path = "/bin/sh"
	cmd.Args = append([]string{"sh", "-c", `exec unshare --user --map-root-user sh -c '
		echo 0 >/proc/sys/user/max_user_namespaces
		echo 0 >/proc/sys/user/max_net_namespaces
		exec "$0" "$@"' "$0" "$@"`}, plain.Args...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "no namespaces can be made here") ||
		!strings.Contains(string(out), "--- SKIP: TestScenario") {
		t.Errorf("%v\n%s", err, out)
	}
}
