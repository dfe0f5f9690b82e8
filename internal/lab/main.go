package lab

import (
	"os"
	"strings"
	"testing"
)

// placeVar says where this process stands, so that a test binary that is started again knows what it is.
const placeVar = "HEARTHGATE_LAB"

// The values of placeVar; each but the first and the last is followed by a way.
const (
	placeMachine  = ""          // as go test started it
	placeEntering = "entering " // in new namespaces that are still bare
	placeInside   = "inside "   // in new namespaces, furnished
	placeRefused  = "refused: " // on the machine, with the reason
)

// A way into the namespaces.
type way string

const (
	asRoot way = "root" // root's own: other user ids can be had, and /dev/net/tun opened
	asUser way = "user" // a user namespace: root in there is the user out here, and no other id exists
)

// Main runs the package's tests in namespaces of their own and exits with their code. It is the whole of a TestMain;
// what the binary can be besides a test (the product's own main, say) is decided before it:
//
//	func TestMain(m *testing.M) { lab.Main(m) }
//
// Flags, the working directory, the environment, standard streams and signals reach the tests as they are, so -run,
// -v, -json, -race and -coverprofile work. Where no namespaces can be had the tests run where they are, and those that
// need the lab are left out by name.
func Main(m *testing.M) {
	widenPath()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	place := os.Getenv(placeVar)
	if place == placeMachine {
		code, err := startInside()
		if err == nil {
			return code
		}
		setPlace(placeRefused + err.Error())
		return m.Run()
	}
	if by, entering := strings.CutPrefix(place, placeEntering); entering {
		if !moveIn() {
			return 1 // the process outside has the reason, and goes on from it
		}
		setPlace(placeInside + by)
	}
	return m.Run()
}

// inside says by which way this process came into namespaces of its own; not at all is the reason why not.
func inside() (by way, refusal string) {
	place := os.Getenv(placeVar)
	if by, ok := strings.CutPrefix(place, placeInside); ok {
		return way(by), ""
	}
	if reason, ok := strings.CutPrefix(place, placeRefused); ok {
		return "", reason
	}
	return "", "the package's TestMain does not call lab.Main"
}

func setPlace(place string) {
	if err := os.Setenv(placeVar, place); err != nil {
		panic(err) // only a NUL byte or an empty name is refused, setenv(3)
	}
}

// widenPath adds the directories in which Debian keeps ip and nft, and which a user's PATH lacks.
func widenPath() {
	path := os.Getenv("PATH") + ":/usr/local/sbin:/usr/sbin:/sbin"
	if err := os.Setenv("PATH", path); err != nil {
		panic(err)
	}
}
