// Package e2e tests the whole product from outside, in the lab: the binary as it is built for a router, run by a user
// without any privilege, with Debian's WireGuard at the phone's end and the real Home Assistant on the LAN.
//
// What it keeps true: it knows the product by its command line, its JSON and its packets only, as other people's scripts
// do. It imports none of the rooms.
package e2e
