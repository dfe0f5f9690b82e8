package metrics

import (
	"strconv"
	"strings"
)

const (
	counter = "counter"
	gauge   = "gauge"
)

// families are all metrics, in the order in which they are written.
func (s Snapshot) families() []family {
	out := []family{
		{"hearthgate_build_info", "The version that runs; always 1.", gauge, []sample{
			{labels{"version", s.Version, "goversion", s.GoVersion}, 1},
		}},
		{"hearthgate_exposure_state", "A TCP port of the home as the internet sees it: 0 closed, 1 open, 2 unknown.", gauge, s.ports()},
		{
			"hearthgate_exposure_last_check_timestamp_seconds", "When somebody last looked from outside, in Unix time; 0 is never.", gauge,
			[]sample{{nil, unix(s.LastCheck)}},
		},
		{"hearthgate_exposure_checked_timestamp_seconds", "When somebody outside last looked at a TCP port of the home, in Unix time; 0 is never.", gauge, s.checked()},
		{"hearthgate_login_failures_total", "Refused sign-ins since the start.", counter, []sample{{nil, float64(s.LoginFailures)}}},
		{"hearthgate_peer_paused", "Whether a phone's access is paused: 1 if it is.", gauge, s.paused()},
		{"wireguard_device_info", "The WireGuard device; always 1.", gauge, []sample{
			{labels{"device", s.Interface, "public_key", s.PublicKey}, 1},
		}},
	}
	return append(append(out, s.byKey()...), s.byName()...)
}

// byKey are the peers as mdlayher's wireguard_exporter has them.
func (s Snapshot) byKey() []family {
	plain := func(p Peer) labels { return labels{"public_key", p.PublicKey} }
	info := func(p Peer) labels {
		return labels{"allowed_ips", strings.Join(p.AllowedIPs, ","), "device", s.Interface, "public_key", p.PublicKey}
	}
	return []family{
		{"wireguard_peer_info", "A phone's key and its tunnel addresses; always 1.", gauge, s.each(info, func(Peer) float64 { return 1 })},
		{"wireguard_peer_receive_bytes_total", "Bytes from a phone since the start.", counter, s.each(plain, received)},
		{"wireguard_peer_transmit_bytes_total", "Bytes to a phone since the start.", counter, s.each(plain, sent)},
		{"wireguard_peer_last_handshake_seconds", "A phone's last handshake in Unix time; 0 is never.", gauge, s.each(plain, handshake)},
	}
}

// byName are the peers as MindFlavor's prometheus_wireguard_exporter has them.
func (s Snapshot) byName() []family {
	named := func(p Peer) labels {
		return labels{
			"interface", s.Interface, "public_key", p.PublicKey,
			"allowed_ips", strings.Join(p.AllowedIPs, ","), "friendly_name", p.Name,
		}
	}
	return []family{
		{"wireguard_received_bytes_total", "Bytes from a phone since the start.", counter, s.each(named, received)},
		{"wireguard_sent_bytes_total", "Bytes to a phone since the start.", counter, s.each(named, sent)},
		{"wireguard_latest_handshake_seconds", "A phone's last handshake in Unix time; 0 is never.", gauge, s.each(named, handshake)},
	}
}

func received(p Peer) float64  { return float64(p.ReceivedBytes) }
func sent(p Peer) float64      { return float64(p.SentBytes) }
func handshake(p Peer) float64 { return unix(p.LastHandshake) }

func (s Snapshot) each(of func(Peer) labels, value func(Peer) float64) (out []sample) {
	for _, p := range s.Peers {
		if p.PublicKey != "" {
			out = append(out, sample{of(p), value(p)})
		}
	}
	return out
}

func (s Snapshot) paused() (out []sample) {
	for _, p := range s.Peers {
		paused := sample{labels: labels{"friendly_name", p.Name, "public_key", p.PublicKey}}
		if p.Paused {
			paused.value = 1
		}
		out = append(out, paused)
	}
	return out
}

func (s Snapshot) checked() (out []sample) {
	for _, p := range s.Ports {
		out = append(out, sample{labels{"port", strconv.Itoa(int(p.Port)), "family", p.Family}, unix(p.Checked)})
	}
	return out
}

func (s Snapshot) ports() (out []sample) {
	for _, p := range s.Ports {
		out = append(out, sample{labels{"port", strconv.Itoa(int(p.Port)), "family", p.Family}, p.State.number()})
	}
	return out
}
