// Package mqtt keeps one connection to the household's MQTT broker, over which retained messages are published.
//
// It keeps true that what Publish says was taken has been taken: the broker acknowledged it. That the broker tells everybody
// when we are gone without a word (the last will). That a broker that answers slowly, endlessly or not at all costs a bounded
// time and a bounded memory. And that the password in the broker's URL is in no error.
//
// Its nouns are MQTT's: a broker, a topic, a message, retained, a will. A session is one connection; whoever wants another one
// after it ended makes it, and waits before that.
//
// It never keeps messages for later, and knows nothing of what they say.
package mqtt
