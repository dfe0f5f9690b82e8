package homeassistant

import "context"

// Browse asks the LAN once who announces a Home Assistant, which takes two seconds. What it hears is hearsay.
func Browse(ctx context.Context) (Hearsay, error) {
	return mdns{onLink: directlyConnected, open: openVoices}.browse(ctx)
}
