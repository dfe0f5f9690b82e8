// Package alert tells people when Home Assistant can be reached from the internet, and when that is over.
//
// It keeps true that an exposure is told at once on every channel that is set up, that its end is told once, that nothing is
// told again before a day has passed, and that a restart repeats nothing. A verdict that is not known is no alarm, and no
// all-clear either: an entity of it is unavailable, never off.
//
// Its nouns. A channel is a way to people: a webhook, Home Assistant's own notifications, MQTT entities, and the journal, which
// gets the daily reminder. News is what is due on a channel: exposed, still exposed, over. A notice is news in words. What was
// told is remembered for each channel. Every channel has a goroutine of its own, so that none waits for another.
//
// It never says who looked or from where, because that may be a phone of the household, and it never logs an address to which
// it tells anything, because that may hold a password.
package alert
