// Package browser is somebody who looks at a page of ours in a real browser: Debian's Chromium, driven from a test. It
// stands on a host of the lab, where it knows that host's network only, or beside the test on loopback.
//
// What it keeps true: a page that a test opens has cookies, cache and storage of its own and nothing from before. What a
// person does is done as a person does it, with a mouse and keys at the place where the thing is drawn, so what is
// hidden, covered or disabled cannot be pressed; and it is counted ([Page.Effort]). Reading and measuring happen in a
// world of scripts that the page does not see and its Content-Security-Policy does not bind, so that a strict policy is
// tested as it is. Two screenshots of the same page are the same bytes. With the test the browser ends, every process of
// it, and its directory goes.
//
// The nouns. A [Browser] is the process. A [Page] is a window in it that shares nothing with other pages. Words name a
// control by its accessible name, which is what a screen reader would call it ("Add a phone"); what no control is called
// is taken for a CSS selector. A [Complaint] is what the browser's console has to say against the page. A [Violation] is
// what axe-core has.
//
// What it never does: weaken the page (no bypassed policy, no flag that relaxes the web's rules), reach the internet
// (names are not looked up on loopback, and the lab has no way out), or go on without Chromium: a test is then left out
// by name, and with CI set it fails, as everywhere in the lab.
//
// It imports chromedp, which speaks the DevTools protocol over a pipe, and gozxing, a QR decoder that shares no code with
// our encoder. Both are for tests only, like all of internal/lab.
package browser
