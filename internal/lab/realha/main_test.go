package realha_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// insideVar is set in the test binary that runs in a network of its own.
const insideVar = "HEARTHGATE_REALHA_INSIDE"

// furnish makes the network: a loopback, and one link that does multicast, for mDNS. Its other end stays without use.
const furnish = `PATH=$PATH:/usr/sbin:/sbin
ip link set lo up &&
ip link add eth0 type veth peer name nowhere &&
ip address add 192.168.77.20/24 dev eth0 &&
ip link set eth0 up && ip link set nowhere up &&
exec "$@"`

// TestMain becomes the same test binary in a network namespace that has nothing but itself, so that no test can reach
// the machine's network, nor disturb it. As an ordinary user that needs a user namespace.
func TestMain(m *testing.M) {
	if os.Getenv(insideVar) == "" {
		if err := moveIn(); err != nil {
			setPlace("refused: " + err.Error())
		}
	}
	os.Exit(m.Run())
}

func moveIn() error {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	options := []string{"unshare", "--net", "--mount"}
	if os.Geteuid() != 0 {
		options = append(options, "--map-root-user")
	}
	options = append(options, "--", "/bin/sh", "-c", furnish, "sh")
	try := exec.CommandContext(context.Background(), unshare, append(options[1:], "true")...)
	if out, err := try.CombinedOutput(); err != nil {
		return fmt.Errorf("making a network namespace: %w: %s", err, out)
	}
	setPlace("yes")
	return syscall.Exec(unshare, append(append(options, self), os.Args[1:]...), os.Environ())
}

// isolated leaves the test out, as realha.Need does, where no network namespace could be had.
func isolated(t *testing.T) {
	t.Helper()
	if refused := os.Getenv(insideVar); refused != "yes" {
		lab.LeaveOut(t, refused)
	}
}

func setPlace(place string) {
	if err := os.Setenv(insideVar, place); err != nil {
		panic(err) // only a NUL byte or an empty name is refused, setenv(3)
	}
}
