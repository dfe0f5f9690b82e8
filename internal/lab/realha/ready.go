package realha

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ask returns when the port answers: $1 is the folder's root, $2 the port. /manifest.json needs no sign-in, and an
// answer never counts as a failed one.
const ask = `PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec env -i PYTHONDONTWRITEBYTECODE=1 "$(command -v chroot)" "$1" /srv/venv/bin/python -c '
import sys, time, urllib.error, urllib.request
while True:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/manifest.json", timeout=5) as answer:
            sys.exit(0 if answer.status == 200 else f"status {answer.status}")
    except urllib.error.HTTPError as problem:
        sys.exit(str(problem))
    except OSError:
        time.sleep(0.05)
' "$2"`

// ready waits until Home Assistant answers on its own host and has set up everything.
func (h *HomeAssistant) ready(p *process) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTime)
	defer cancel()
	go func() {
		select {
		case <-p.ended:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := errors.Join(h.answers(ctx), p.settled(ctx))
	switch {
	case p.over():
		return fmt.Errorf("it ended by itself: %w", p.err)
	case ctx.Err() != nil:
		return fmt.Errorf("not ready after %v", startTime)
	}
	return err
}

func (h *HomeAssistant) answers(ctx context.Context) error {
	out, err := h.command(ctx, "/bin/sh", "-c", ask, "sh", h.folder.root, strconv.Itoa(h.Port)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("asking whether it answers: %w: %s", err, out)
	}
	return nil
}

// settled waits until Home Assistant handles SIGTERM, which it does once all integrations are set up (runner.py,
// core.py). Before, the signal would end it at once, and what it has not saved yet would be lost.
func (p *process) settled(ctx context.Context) error {
	for ctx.Err() == nil {
		handles, err := handlesTerm(p.cmd.Process.Pid)
		if err != nil || handles {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return ctx.Err()
}

// handlesTerm reads the mask of caught signals, in which signal n is bit n-1 (proc_pid_status(5)).
func handlesTerm(pid int) (bool, error) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(string(status)) {
		if mask, ok := strings.CutPrefix(line, "SigCgt:"); ok {
			bits, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
			return bits>>(syscall.SIGTERM-1)&1 == 1, err
		}
	}
	return false, errors.New("/proc tells no mask of caught signals")
}
