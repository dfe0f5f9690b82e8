package health

import (
	"maps"
	"slices"
)

// betrays are the TCP ports of what stands beside Home Assistant in many homes, by the ports that Home Assistant's add-ons and
// the community's publish by default (home-assistant/addons and hassio-addons/repository, August 2026). They are looked at weekly.
var betrays = map[uint16]string{
	22: "SSH", 81: "Nginx Proxy Manager", 139: "Samba", 445: "Samba", 1880: "Node-RED", 1883: "MQTT", 1884: "MQTT over WebSocket",
	1984: "go2rtc", 3000: "Z-Wave JS", 3218: "file editor", 3306: "MariaDB", 4357: "Home Assistant's observer", 5000: "Frigate",
	5050: "AppDaemon", 5580: "Matter server", 5900: "deCONZ", 6052: "ESPHome", 8080: "Zigbee2MQTT", 8081: "deCONZ", 8086: "InfluxDB",
	8091: "Z-Wave JS UI", 8554: "Frigate's cameras", 8883: "MQTT", 8971: "Frigate", 9000: "Portainer", 9090: "Cockpit",
	10200: "Piper", 10300: "Whisper", 18083: "EMQX", 22222: "Home Assistant OS",
}

// Betrays is what usually listens on a port; empty: it is none of those looked at weekly.
func Betrays(port uint16) string { return betrays[port] }

// Weekly are the ports that betray a home, in order.
func Weekly() []Watched {
	var out []Watched
	for _, port := range slices.Sorted(maps.Keys(betrays)) {
		out = append(out, Watched{port, RoleOther})
	}
	return out
}
