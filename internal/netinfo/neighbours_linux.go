package netinfo

import (
	"cmp"
	"slices"

	"github.com/jsimonetti/rtnetlink/v2"
)

// Neighbours lists the kernel's neighbour table in both families. It holds whoever was talked to lately, and not everybody
// who is there.
func Neighbours() ([]NeighbourEntry, error) {
	return ask("neighbours", func(c *rtnetlink.Conn) ([]NeighbourEntry, error) {
		messages, err := c.Neigh.List()
		if err != nil {
			return nil, err
		}
		names := linkNames{}
		var all []NeighbourEntry
		for _, m := range messages {
			if e, ok := neighbour(m, names); ok {
				all = append(all, e)
			}
		}
		slices.SortFunc(all, func(a, b NeighbourEntry) int {
			return cmp.Or(cmp.Compare(a.Link, b.Link), a.Addr.Compare(b.Addr))
		})
		return all, nil
	})
}

func neighbour(m rtnetlink.NeighMessage, names linkNames) (NeighbourEntry, bool) {
	if m.Attributes == nil {
		return NeighbourEntry{}, false
	}
	addr := unmapped(m.Attributes.Address)
	link, ok := names.of(m.Index)
	if !ok || !addr.IsValid() || addr.IsMulticast() {
		return NeighbourEntry{}, false
	}
	e := NeighbourEntry{Link: link, Addr: addr, State: NeighbourFailed}
	if m.State&known != 0 && !blank(m.Attributes.LLAddress) {
		e.State, e.MAC = NeighbourKnown, m.Attributes.LLAddress.String()
	}
	return e, true
}
