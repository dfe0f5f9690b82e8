// Package tunnel is the WireGuard server: the one door through which phones come in.
//
// It keeps true that the WireGuard device knows exactly the peers that the peers room allows at this moment, each with
// exactly its own tunnel addresses, and that what a phone sends inside the tunnel ends in a userspace network stack in
// this process, whose only way out is the gate (package gate). There is no route from it to the LAN, no TUN device, no
// privilege.
//
// Its nouns are wgctrl's: a Device has Peers, a Peer has a public key, a preshared key, allowed IPs and a last
// handshake. What should be is a level: reconcile compares the device with the peers and says only what differs, so
// that nobody else's session is touched when one phone comes or goes.
//
// It never replaces the whole peer list, never writes a private key anywhere but into the device, never runs another
// program, and decides nothing about who may reach what: it hands the peers' lists to the gate.
package tunnel
