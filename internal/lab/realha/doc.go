// Package realha runs the real Home Assistant for tests: the newest release that scripts/lab-homeassistant could get,
// in the folder that it made, with no network but the one the test gives it. A test that passes here has been answered
// by the program that households run, not by what we remember of it.
//
// What it keeps true: every [Start] begins with a fresh, un-onboarded Home Assistant; the folder is only read, and what
// this Home Assistant writes goes to a directory of the test; it ends with the test, and with the test binary when that
// is killed. Without the folder a test is left out by name, and with CI set it fails.
//
// The nouns. A [HomeAssistant] is the process and its configuration directory. A [Visitor] is somebody who has a way to
// it, an HTTP client and a base URL, which may lead through a tunnel: it onboards, signs in, and carries the token to
// what it asks next. A [Session] is a signed-in WebSocket, [Frames] a camera picture that never ends, a [Backup] a file
// that went up and can come down again.
//
// # What was learnt about it
//
// All of this was tried with 2026.11.0 on Python 3.14.8, in November 2026; what was only read in its source is marked so.
//
// The YAML section "http:" is no way to configure it. It is read once, and its settings become "pending", on trial:
// after five minutes Home Assistant restarts without them unless an admin has confirmed (the delay is from the source).
// The environment variable SETUP_PORT holds, but sets the port alone. What holds and sets everything is the file
// .storage/http, written before the first start with its settings as "stable" and the YAML import marked as done; the
// WebSocket command http/config then says "stable", with nothing pending. The format there is version 3.1, in which
// ssl_profile has new names; 2.2, which 2026.8 brought, is migrated at the start, so this package writes 2.2 and spans
// both. Releases before 2026.8 know only the YAML, so they get that. The section auth_providers is still YAML, and
// trusted_networks shows at /auth/providers to callers from those networks only.
//
// By default it listens on all addresses of both families. /manifest.json answers 2 to 3 s after the start, and 1 to 2 s
// later everything is set up. Until then SIGTERM ends it at once; afterwards it takes 2 s, and took 10 s more with a
// WebSocket and a camera's stream still open. It has 250 MiB resident.
//
// mDNS needs a link other than lo that can do multicast and has an address; a default route it does not need. Where
// there is no such link, zeroconf, analytics and marketplace fail with "No such device", and the rest works. Its UUID
// is in the TXT record.
//
// A backup may have any size: /api/backup/upload writes it to disk while it comes, answers 201 with its id, and 256 MiB
// took 1.2 to 2.9 s over loopback. The other doors for uploads are narrower (read in the source): 100 MiB for
// /api/file_upload, 20 MiB for media, 10 MiB for pictures, and 64 KiB for what comes before signing in. A camera's
// stream is cut by no timer of its own; the demo integration's has a new picture of 43 KiB every half second. The first
// is sent twice, and the Content-Type names a boundary that already has the two dashes of a delimiter.
//
// A WebSocket that is closed before signing in is not counted as a failed login; a nonsense token is. Once an address
// is banned it gets 403 for everything, /manifest.json included; without ip_bans.yaml the next start knows no ban.
//
// What it never does: fetch anything, change the folder, or look like Home Assistant by itself. The stand-in for quick
// tests is internal/homeassistant/standin.
package realha
