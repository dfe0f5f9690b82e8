//go:build !linux

package surroundings

import (
	"context"
	"net/netip"
)

// stir does nothing where there is no neighbour table to be read.
func stir(context.Context, string, []netip.Addr, []netip.Addr) {}

func knock(context.Context, string, ...netip.Addr) {}
