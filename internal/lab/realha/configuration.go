package realha

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// storesHTTPSince is the first release that keeps the HTTP settings in .storage instead of configuration.yaml.
const storesHTTPSince = 2026*100 + 8

// configure writes a configuration directory for the first start.
func (o Options) configure(dir, version string) error {
	inStorage := month(version) >= storesHTTPSince
	if err := os.WriteFile(filepath.Join(dir, "configuration.yaml"), []byte(o.yaml(!inStorage)), 0o600); err != nil {
		return err
	}
	if !inStorage {
		return nil
	}
	storage := filepath.Join(dir, ".storage")
	if err := os.Mkdir(storage, 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{
		"key": "http", "version": 2, "minor_version": 2,
		"data": map[string]any{"stable": o.http(), "pending": nil, "yaml_migration_done": true},
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(storage, "http"), text, 0o600)
}

// month turns a version such as 2026.11.0 into 202611, and what is none into 0.
func month(version string) int {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return 0
	}
	year, err1 := strconv.Atoi(parts[0])
	m, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return 0
	}
	return year*100 + m
}

// http is the settings as .storage/http has them, every key that Home Assistant reads without asking.
func (o Options) http() map[string]any {
	return map[string]any{
		"server_port":              o.Port,
		"cors_allowed_origins":     []string{},
		"ip_ban_enabled":           true,
		"login_attempts_threshold": o.threshold(),
		"ssl_profile":              "modern",
		"use_x_frame_options":      true,
		"created_at":               "2026-01-01T00:00:00+00:00",
		"error":                    nil,
		"error_message":            nil,
	}
}

// threshold is Home Assistant's word: -1, its default, counts nothing and bans nobody.
func (o Options) threshold() int {
	if o.BanAfter == 0 {
		return -1
	}
	return o.BanAfter
}

// yaml is configuration.yaml. JSON is YAML, so strings and lists are written as JSON, which leaves nothing to quoting.
func (o Options) yaml(withHTTP bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "homeassistant:\n  name: %s\n", asJSON(o.Name))
	b.WriteString("  latitude: 52.0\n  longitude: 5.0\n  elevation: 0\n" +
		"  unit_system: metric\n  time_zone: UTC\n  country: NL\n  currency: EUR\n")
	if len(o.TrustedNetworks) > 0 {
		fmt.Fprintf(&b, "  auth_providers:\n    - type: homeassistant\n    - type: trusted_networks\n"+
			"      trusted_networks: %s\n", asJSON(o.TrustedNetworks))
	}
	if withHTTP {
		fmt.Fprintf(&b, "http:\n  server_port: %d\n  ip_ban_enabled: true\n  login_attempts_threshold: %d\n",
			o.Port, o.threshold())
	}
	if o.Announce {
		b.WriteString("zeroconf:\n")
	}
	if o.Camera {
		b.WriteString("demo:\n")
	}
	// The folder has neither ffmpeg nor libturbojpeg, and pages of traceback for them would hide what a failed test wants to know.
	b.WriteString("logger:\n  default: warning\n  logs:\n    haffmpeg: critical\n" +
		"    homeassistant.components.camera.img_util: critical\n")
	return b.String()
}

func asJSON[T string | []netip.Prefix](v T) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // neither type can fail
	}
	return string(text)
}
