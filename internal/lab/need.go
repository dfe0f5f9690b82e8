package lab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// What Need knows besides the names of programs.
const (
	Namespaces = "namespaces"   // the lab itself
	Root       = "root"         // true root: other user ids, chroot with devices
	TUN        = "/dev/net/tun" // for a process that is root on its host, as wireguard-go on a phone
)

// packages names Debian's package where it is not called like the program in it.
var packages = map[string]string{
	"ip":            "iproute2",
	"miniupnpd":     "miniupnpd-nftables",
	"mosquitto_sub": "mosquitto-clients",
	"nft":           "nftables",
	"nsenter":       "util-linux",
	"ping":          "iputils-ping",
	"script":        "bsdutils",
	"setpriv":       "util-linux",
	"unshare":       "util-linux",
	"wg":            "wireguard-tools",
}

// Need leaves the test out when something that it uses is missing here: a program by its name, or one of the constants.
// The test is then skipped with the reasons, and named in the file $HEARTHGATE_LEFT_OUT, from which make test tells
// what it did not test. With CI set nothing may be left out, so there the test fails.
func Need(t testing.TB, what ...string) {
	t.Helper()
	var reasons []string
	for _, one := range what {
		if reason := missing(one); reason != "" {
			reasons = append(reasons, reason)
		}
	}
	if len(reasons) > 0 {
		LeaveOut(t, strings.Join(reasons, "; "))
	}
}

// missing is the reason why something cannot be used, empty when it can.
func missing(what string) string {
	by, refusal := inside()
	switch what {
	case Namespaces:
		return refusal
	case Root:
		if by != asRoot {
			return "it needs root, and namespaces of root's own"
		}
	case TUN:
		if refusal != "" {
			return refusal // a device would be the machine's
		}
		if err := openTUN(); err != nil {
			return fmt.Sprintf("/dev/net/tun cannot be used: %v", err)
		}
	default:
		if _, err := exec.LookPath(what); err != nil {
			return fmt.Sprintf("%s is not installed (Debian's package %s)", what, packageOf(what))
		}
	}
	return ""
}

func packageOf(program string) string {
	if name, ok := packages[program]; ok {
		return name
	}
	return program
}

// LeaveOut leaves the test out, for a reason that Need does not know.
func LeaveOut(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf("%s, and with CI set nothing may be left out", reason)
	}
	if err := note(os.Getenv("HEARTHGATE_LEFT_OUT"), t.Name()+": "+reason); err != nil {
		t.Fatalf("noting what was left out: %v", err)
	}
	t.Skip(reason)
}

// note adds a line to the file; several test binaries write to it at once, so a line is one write (O_APPEND, open(2)).
func note(file, line string) error {
	if file == "" {
		return nil
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(line + "\n"); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
