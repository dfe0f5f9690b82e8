package access

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"testing"

	"github.com/hearthgate/hearthgate/internal/lab"
)

// placeVar makes the test binary a page on the place in it, the program that the tests put on a host of the lab.
const placeVar = "ACCESS_TEST_PLACE"

func TestMain(m *testing.M) {
	if place := os.Getenv(placeVar); place != "" {
		fmt.Fprintln(os.Stderr, page(place))
		os.Exit(1)
	}
	lab.Main(m)
}

// page serves what the product does, as far as this room goes, and tells each caller over which link it came.
func page(at string) error {
	place, err := ParsePlace(at)
	if err != nil {
		return err
	}
	door := New(Config{Place: place, Log: slog.New(slog.NewTextHandler(os.Stdout, nil))})
	l, err := door.Listen(context.Background())
	if err != nil {
		return err
	}
	for _, url := range door.URLs() {
		fmt.Println("url", url)
	}
	fmt.Printf("warning %q\n", door.Warning())
	fmt.Println("serving")
	return Server(door.Hosts(Headers(SameOrigin(http.HandlerFunc(sayWhere)))), nil).Serve(l)
}

func sayWhere(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "came from "+r.RemoteAddr)
}
