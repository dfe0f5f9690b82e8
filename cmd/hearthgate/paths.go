package main

import (
	"path/filepath"
	"slices"
)

// Where the state and the socket are. DESIGN's contract: flag, then environment, then what systemd says, then the place
// of the user that we are.

// defaultStateDir is the state directory when neither flag nor HEARTHGATE_STATE_DIR names one.
func (p *program) defaultStateDir() string {
	if dir := p.getenv("STATE_DIRECTORY"); dir != "" {
		// systemd.exec(5): several directories are separated by colons; ours is the first.
		return filepath.SplitList(dir)[0]
	}
	if p.uid == 0 {
		return "/var/lib/hearthgate"
	}
	if dir := p.getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "hearthgate")
	}
	if home := p.getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "hearthgate")
	}
	return ""
}

const (
	socketName   = "hearthgate.sock"
	systemSocket = "/run/hearthgate/" + socketName
)

// defaultSocket is where `run` makes its socket when it is not told.
func (p *program) defaultSocket(stateDir string) string {
	if dir := p.getenv("RUNTIME_DIRECTORY"); dir != "" {
		return filepath.Join(filepath.SplitList(dir)[0], socketName)
	}
	if p.uid == 0 {
		return systemSocket
	}
	if dir := p.getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "hearthgate", socketName)
	}
	return filepath.Join(stateDir, socketName)
}

// clientSockets are the places where a client looks, in order: its own first, then the system's.
func (p *program) clientSockets(flag string) []string {
	if flag != "" {
		return []string{flag}
	}
	if path := p.getenv("HEARTHGATE_SOCKET"); path != "" {
		return []string{path}
	}
	stateDir := p.getenv("HEARTHGATE_STATE_DIR")
	if stateDir == "" {
		stateDir = p.defaultStateDir()
	}
	var out []string
	for _, path := range []string{p.defaultSocket(stateDir), filepath.Join(stateDir, socketName), systemSocket} {
		if filepath.IsAbs(path) && !slices.Contains(out, path) {
			out = append(out, path)
		}
	}
	return out
}
