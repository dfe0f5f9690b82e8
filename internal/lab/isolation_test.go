package lab_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// scenarioVar tells TestScenario, in a test binary that a test has started anew, what to do.
const scenarioVar = "LAB_TEST_SCENARIO"

// placeVar is the lab's own: without it a test binary does not know that it is in a lab, and makes one.
const placeVar = "HEARTHGATE_LAB"

// TestScenario is the child's side of the tests below. By itself it does nothing.
func TestScenario(t *testing.T) {
	name, detail, _ := strings.Cut(os.Getenv(scenarioVar), " ")
	switch name {
	case "mess": // leave everything that a test could leave
		l := lab.New(t)
		messUp(t, l)
	case "fail":
		t.Error("the child fails as it was told to")
	case "panic":
		messUp(t, lab.New(t))
		panic("the child panics as it was told to")
	case "wait":
		messUp(t, lab.New(t))
		fmt.Println("the child waits")
		select {}
	case "need":
		lab.Need(t, strings.Fields(detail)...)
		fmt.Println("nothing is missing")
	case "lab":
		lab.New(t)
	case "household":
		household(t)
	}
}

// messUp leaves processes, children of processes, a rule, a link and files in /run, here and on a host.
func messUp(t *testing.T, l *lab.Lab) {
	t.Helper()
	for _, dir := range []string{"/run", l.Appliance.Path("/run")} {
		if err := os.WriteFile(filepath.Join(dir, "mess"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l.Appliance.Run(t, "nft", "add table inet mess")
	l.Appliance.Run(t, "ip", "link", "add", "mess", "type", "bridge")
	for _, cmd := range []*exec.Cmd{
		exec.Command("/bin/sh", "-c", "setsid sleep 1000 & ip link add mess type bridge; nft add table inet mess; sleep 1000"),
		l.Appliance.Command(context.Background(), "/bin/sh", "-c", "setsid sleep 1000 & sleep 1000"),
	} {
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
	}
	for range 1000 {
		if sleepers(t) == 4 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the mess was not made")
}

// child prepares this test binary as go test starts it: for it, the lab around it is the machine.
func child(t *testing.T, scenario string, flags ...string) *exec.Cmd {
	t.Helper()
	lab.Need(t, lab.Namespaces)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, append([]string{"-test.run=^TestScenario$"}, flags...)...)
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); name != placeVar && name != "CI" && name != "HEARTHGATE_LEFT_OUT" {
			cmd.Env = append(cmd.Env, pair)
		}
	}
	cmd.Env = append(cmd.Env, scenarioVar+"="+scenario)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// machine is what a lab could leave on a machine: processes, links, rules, mounts, sockets and files of /run.
func machine(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, args := range [][]string{
		{"ip", "link"},
		{"nft", "list", "ruleset"},
		{"cat", "/proc/self/mountinfo"},
		{"ls", "-R", "/run"},
		{"cat", "/proc/sys/net/ipv4/ip_forward"},
	} {
		out, err := exec.CommandContext(t.Context(), args[0], args[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		all.Write(out)
	}
	return all.String()
}

// sleepers counts the processes that messUp left anywhere.
func sleepers(t *testing.T) (count int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && bytes.HasPrefix(text, []byte("sleep\x001000")) {
			count++
		}
	}
	return count
}

// These are not parallel: they look at the whole of the surroundings.

func TestNothingIsLeftBehind(t *testing.T) {
	for _, scenario := range []string{"mess", "panic"} {
		cmd := child(t, scenario)
		before := machine(t)
		out, err := cmd.CombinedOutput()
		if (err == nil) != (scenario == "mess") {
			t.Fatalf("%s: %v\n%s", scenario, err, out)
		}
		if after := machine(t); after != before {
			t.Errorf("%s: before:\n%s\nafter:\n%s", scenario, before, after)
		}
		if n := sleepers(t); n != 0 {
			t.Errorf("%s: %d processes go on", scenario, n)
		}
	}
}

func TestKillingTheTestsEndsEverything(t *testing.T) {
	cmd := child(t, "wait")
	p := lab.Start(t, cmd)
	p.WaitFor(t, "the child waits", patient)
	if n := sleepers(t); n != 4 {
		t.Fatalf("%d sleeping processes, 4 were expected", n)
	}
	p.Signal(t, syscall.SIGKILL) // the outer process alone, as go test does when time is up
	<-p.Ended()
	for range 500 {
		if sleepers(t) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d processes go on after 5 s", sleepers(t))
}

func TestASignalReachesTheTests(t *testing.T) {
	p := lab.Start(t, child(t, "wait"))
	p.WaitFor(t, "the child waits", patient)
	p.Signal(t, syscall.SIGQUIT) // from go test, to learn where a test hangs
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	err := p.Wait(ctx)
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 2 {
		t.Errorf("SIGQUIT ended it with %v; exit code 2, as of any Go program, was expected", err)
	}
	if !strings.Contains(p.Output(), "TestScenario") {
		t.Errorf("no goroutine trace:\n%s", p.Output())
	}
}

func TestFlagsExitCodesAndOutputPassThrough(t *testing.T) {
	out, err := child(t, "fail", "-test.v").CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
		t.Errorf("a failing test: %v", err)
	}
	if !bytes.Contains(out, []byte("--- FAIL: TestScenario")) || !bytes.Contains(out, []byte("as it was told to")) {
		t.Errorf("a failing test says:\n%s", out)
	}
	if out, err := child(t, "", "-test.nosuchflag").CombinedOutput(); err == nil {
		t.Errorf("an unknown flag is taken:\n%s", out)
	}
	out, err = child(t, "", "-test.list=Scenario").CombinedOutput()
	if err != nil || string(out) != "TestScenario\n" {
		t.Errorf("listing: %q, %v", out, err)
	}
	out, err = child(t, "wait", "-test.timeout=3s").CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 2 || !bytes.Contains(out, []byte("test timed out")) {
		t.Errorf("a test that takes too long: %v\n%s", err, out)
	}
}
