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
// # What was learnt about its settings
//
// All of this was seen on 2026.11.0 (November 2026), on Python 3.14.8.
//
// The YAML section "http:" is read once: with a fresh configuration directory its settings start on trial, and five
// minutes later Home Assistant restarts without them unless an admin has confirmed. The environment variable SETUP_PORT
// holds, but sets the port alone. What holds and sets everything is the file .storage/http, written before the first
// start with its settings as "stable" and the YAML import marked as done. The format there is version 3.1, in which
// ssl_profile has new names; 2.2, which 2026.8 brought, is migrated at the start, so [HomeAssistant] writes 2.2 and
// spans both. Releases before 2026.8 know only the YAML, so they get that.
//
// By default it listens on all addresses of both families. It answers /manifest.json 2 to 3 seconds after it was
// started, and has everything loaded 2 seconds later. auth_providers is still YAML; trusted_networks is offered only to
// callers from those networks, so it shows at /auth/providers for whom the trap is open.
//
// mDNS needs a link other than lo that does multicast. Where there is none, setting up zeroconf fails with "No such
// device", and the start takes 15 seconds longer for it; everything else works. A kernel's default route is not needed,
// but an address is.
//
// A backup may have any size: the upload is streamed to disk and answered with 201 and its id. The other doors for
// uploads end early: 100 MiB for /api/file_upload, 20 MiB for media, 10 MiB for pictures, and 64 KiB for what comes
// before signing in. A camera's stream is cut by no timer; the one of the demo integration has a new picture every half
// second, four different ones in turn.
//
// What it never does: fetch anything, change the folder, or look like Home Assistant by itself. The stand-in for quick
// tests is internal/homeassistant/standin.
package realha
