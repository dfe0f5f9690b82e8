package webui

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hearthgate/hearthgate/peers"
)

// BenchmarkPages is the server's time for each page, in-process, as ns/op: with 50 phones it should stay under 5 ms and with
// 1,000 under 20 ms (docs/figures.md).
func BenchmarkPages(b *testing.B) {
	for _, phones := range []int{50, 1000} {
		h := newPhoneHouse(b)
		var id string
		for i := range phones {
			e, err := h.cfg.Peers.Add(peers.AddRequest{Name: fmt.Sprintf("Phone %d", i)})
			if err != nil {
				b.Fatal(err)
			}
			id = e.Peer.ID
		}
		owner := h.owner()
		for _, r := range h.table {
			if r.method != get || r.class != session {
				continue
			}
			target := strings.NewReplacer(":id", id, ":name", "camera").Replace(r.path)
			if w := owner.get(target); w.Code != http.StatusOK {
				continue // such as the config of a phone whose code is gone
			}
			b.Run(fmt.Sprintf("%s/phones=%d", strings.ReplaceAll(r.path, "/", "."), phones), func(b *testing.B) {
				for b.Loop() {
					owner.get(target)
				}
			})
		}
	}
}
