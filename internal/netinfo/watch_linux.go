package netinfo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/mdlayher/netlink" // beneath rtnetlink, which does not know the kernel's groups
	"golang.org/x/sys/unix"
)

// settling is how long changes are gathered before they are told: one router advertisement makes a handful.
const settling = 200 * time.Millisecond

// groups are the kernel's announcements of links, addresses, routes and neighbours (rtnetlink(7)).
const groups = unix.RTMGRP_LINK | unix.RTMGRP_NEIGH |
	unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE

// Watch calls tell after something changed, with what, until ctx ends; then it returns nil. Changes that come together are told
// together. Where the kernel had more to say than it could keep for us, everything may have changed. tell is called from
// this goroutine, and hears what happens meanwhile afterwards.
//
// It tells that something changed, never into what: the answers are still to be asked for.
func Watch(ctx context.Context, tell func(Change)) error {
	c, err := netlink.Dial(unix.NETLINK_ROUTE, &netlink.Config{Groups: groups})
	if err != nil {
		return fmt.Errorf("watching the network: %w", err)
	}
	defer func() { _ = c.Close() }()
	defer context.AfterFunc(ctx, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })()
	for ctx.Err() == nil {
		change, err := gather(ctx, c)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("watching the network: %w", err)
		case change != 0:
			tell(change)
		}
	}
	return nil
}

// gather waits for the first change and listens a little longer.
func gather(ctx context.Context, c *netlink.Conn) (all Change, err error) {
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		return 0, err
	}
	for {
		if err := ctx.Err(); err != nil { // it ended before the deadline was taken away
			return all, err
		}
		change, err := hear(c)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		if all == 0 && change != 0 {
			if err := c.SetReadDeadline(time.Now().Add(settling)); err != nil {
				return 0, err
			}
		}
		all |= change
	}
}

func hear(c *netlink.Conn) (change Change, err error) {
	messages, err := c.Receive()
	if errors.Is(err, unix.ENOBUFS) {
		return AnyChange, nil // netlink(7): messages were dropped
	}
	for _, m := range messages {
		change |= sortOf(uint16(m.Header.Type))
	}
	return change, err
}

func sortOf(message uint16) Change {
	switch message {
	case unix.RTM_NEWLINK, unix.RTM_DELLINK:
		return LinkChange
	case unix.RTM_NEWADDR, unix.RTM_DELADDR:
		return AddressChange
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE:
		return RouteChange
	case unix.RTM_NEWNEIGH, unix.RTM_DELNEIGH:
		return NeighbourChange
	default:
		return 0
	}
}
