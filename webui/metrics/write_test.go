package metrics

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// read writes a snapshot and has Prometheus's own parser read it, which refuses what is said twice.
func read(t testing.TB, s Snapshot) (map[string]*dto.MetricFamily, string) {
	t.Helper()
	var out strings.Builder
	if err := Write(&out, s); err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(out.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	return families, out.String()
}

func household() Snapshot {
	return Snapshot{
		Version: "1.2.3", GoVersion: "go1.26", Interface: "hearthgate", PublicKey: "server=",
		Peers: []Peer{
			{
				Name: "Anna", PublicKey: "a=", AllowedIPs: []string{"10.1.0.2/32", "fd00::2/128"},
				ReceivedBytes: 1 << 53, SentBytes: 5, LastHandshake: time.Unix(1700000000, 999),
			},
			{Name: "Ben", PublicKey: "b=", Paused: true},
			{Name: "No key"},
		},
		Ports: []Port{
			{Port: 8123, Family: "ipv4", State: Closed, Checked: time.Unix(1700000001, 0)},
			{Port: 8123, Family: "ipv6", State: Open},
			{Port: 443, Family: "ipv4"},
			{Port: 80, Family: "ipv4", State: 77},
		},
		LoginFailures: 4,
	}
}

// TestEveryMetricIsThere has the names that other people's dashboards look for, each with its kind and labels.
func TestEveryMetricIsThere(t *testing.T) {
	got, text := read(t, household())
	named := "interface public_key allowed_ips friendly_name"
	for name, want := range map[string]struct {
		kind   dto.MetricType
		labels string
		series int
	}{
		"wireguard_device_info":                            {dto.MetricType_GAUGE, "device public_key", 1},
		"wireguard_peer_info":                              {dto.MetricType_GAUGE, "allowed_ips device public_key", 2},
		"wireguard_peer_receive_bytes_total":               {dto.MetricType_COUNTER, "public_key", 2},
		"wireguard_peer_transmit_bytes_total":              {dto.MetricType_COUNTER, "public_key", 2},
		"wireguard_peer_last_handshake_seconds":            {dto.MetricType_GAUGE, "public_key", 2},
		"wireguard_received_bytes_total":                   {dto.MetricType_COUNTER, named, 2},
		"wireguard_sent_bytes_total":                       {dto.MetricType_COUNTER, named, 2},
		"wireguard_latest_handshake_seconds":               {dto.MetricType_GAUGE, named, 2},
		"hearthgate_build_info":                            {dto.MetricType_GAUGE, "version goversion", 1},
		"hearthgate_exposure_state":                        {dto.MetricType_GAUGE, "port family", 4},
		"hearthgate_exposure_checked_timestamp_seconds":    {dto.MetricType_GAUGE, "port family", 4},
		"hearthgate_exposure_last_check_timestamp_seconds": {dto.MetricType_GAUGE, "", 1},
		"hearthgate_login_failures_total":                  {dto.MetricType_COUNTER, "", 1},
		"hearthgate_peer_paused":                           {dto.MetricType_GAUGE, "friendly_name public_key", 3},
	} {
		f := got[name]
		if f.GetType() != want.kind || len(f.GetMetric()) != want.series || f.GetHelp() == "" {
			t.Errorf("%s: %v", name, f)
			continue
		}
		var labels []string
		for _, l := range f.GetMetric()[0].GetLabel() {
			labels = append(labels, l.GetName())
		}
		if strings.Join(labels, " ") != want.labels {
			t.Errorf("%s has labels %v", name, labels)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s is written, and this test does not know it", name)
	}
	if strings.Contains(text, "endpoint") {
		t.Error("where a phone comes from is told")
	}
}

func TestValues(t *testing.T) {
	got, _ := read(t, household())
	for name, want := range map[string]string{
		"wireguard_peer_receive_bytes_total":               "9007199254740992 0",
		"wireguard_sent_bytes_total":                       "5 0",
		"wireguard_peer_last_handshake_seconds":            "1700000000 0", // never is 0
		"wireguard_latest_handshake_seconds":               "1700000000 0",
		"hearthgate_exposure_state":                        "0 1 2 2", // what nobody knows is 2
		"hearthgate_exposure_last_check_timestamp_seconds": "0",
		"hearthgate_exposure_checked_timestamp_seconds":    "1700000001 0 0 0",
		"hearthgate_peer_paused":                           "0 1 0",
		"hearthgate_login_failures_total":                  "4",
		"hearthgate_build_info":                            "1",
	} {
		var values []string
		for _, m := range got[name].GetMetric() {
			values = append(values, fmt.Sprintf("%.0f", m.GetGauge().GetValue()+m.GetCounter().GetValue()))
		}
		if strings.Join(values, " ") != want {
			t.Errorf("%s: %v, want %s", name, values, want)
		}
	}
}

func TestAnApplianceWithoutPhones(t *testing.T) {
	got, text := read(t, Snapshot{})
	if _, ok := got["wireguard_peer_info"]; ok || strings.Contains(text, "wireguard_peer") {
		t.Errorf("a head without series:\n%s", text)
	}
}

// FuzzName: whatever a phone is called comes back as it was, as text.
func FuzzName(f *testing.F) {
	for _, name := range []string{`Anna`, "two\nlines", `a"b`, `back\slash`, `\n`, "\x00", "\xff", `"} 1` + "\n# HELP x", "😀", "\r\n", "{}"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got, text := read(t, Snapshot{Peers: []Peer{{Name: name, PublicKey: "k"}}})
		metrics := got["wireguard_received_bytes_total"].GetMetric()
		if len(metrics) != 1 {
			t.Fatalf("%d series:\n%s", len(metrics), text)
		}
		if label := metrics[0].GetLabel()[3]; label.GetValue() != strings.ToValidUTF8(name, "\uFFFD") {
			t.Errorf("%q came back as %q", name, label.GetValue())
		}
	})
}

type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAReaderThatIsGone(t *testing.T) {
	if err := Write(full{}, household()); !errors.Is(err, errFull) {
		t.Errorf("%v", err)
	}
}
