// Package metrics writes what a Prometheus server may know of an appliance, in the text format 0.0.4.
//
// It keeps true that every line parses, whatever a phone is called; that the names are those which the dashboards for
// WireGuard already look for (mdlayher's exporter, and three of MindFlavor's, which know a peer's name), beside a few of
// our own; that a time which never was is 0, and not the year 1; and that a port at which nobody has looked is 2, unknown,
// and neither 0 nor left out.
//
// A Snapshot is everything at one moment. Write is a function of it.
//
// It never names the address from which a phone comes: that would make a new time series with every network that the
// phone passes through, and would tell where people are.
package metrics
