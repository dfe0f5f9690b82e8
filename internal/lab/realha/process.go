package realha

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// enter gives Home Assistant its world and becomes it: $1 is the folder's root, $2 the test's directory. The folder is
// mounted read-only, with the test's config and tmp in it, in a mount namespace that ends with the process. /proc and
// /dev are taken along with what is mounted below them, which is the only way that a user's own namespaces allow
// (mount_namespaces(7)). There a read-only mount may be refused too, but there its files are nobody's to write.
//
// Every step is an exec, so the process that was started is Home Assistant in the end. setpriv comes last, for a change
// of credentials on the way would forget its signal (PR_SET_PDEATHSIG, prctl(2)).
const enter = `set -e
PATH=/usr/sbin:/usr/bin:/sbin:/bin
setpriv=$(command -v setpriv)
chroot=$(command -v chroot)
root=$2/root
mount --bind "$1" "$root"
mount -o remount,bind,ro "$root" 2>/dev/null || [ ! -w "$root/srv" ]
mount --bind "$2/config" "$root/config"
mount --bind "$2/tmp" "$root/tmp"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
exec env -i PATH=/usr/bin:/bin HOME=/config LANG=C.UTF-8 TZ=UTC PYTHONDONTWRITEBYTECODE=1 \
	"$setpriv" --pdeathsig KILL "$chroot" "$root" /srv/venv/bin/hass -c /config --skip-pip --log-no-color`

// A process is Home Assistant while it runs. err may be read once ended is closed.
type process struct {
	cmd   *exec.Cmd
	end   context.CancelFunc // kills it
	ended chan struct{}
	err   error
}

// launch starts the process.
func (h *HomeAssistant) launch() (*process, error) {
	console, err := os.OpenFile(h.console(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer console.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := h.command(ctx, "unshare", "--mount", "--propagation", "private",
		"/bin/sh", "-c", enter, "sh", h.folder.root, h.dir)
	p := &process{cmd: cmd, end: cancel, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = console, console
	started := make(chan error)
	go p.run(started)
	return p, <-started
}

// run starts the process and waits for it on one thread: the signal that setpriv has asked for comes when the thread
// that started the process ends, so that thread must not be one that Go may end earlier.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

func (p *process) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// stop ends the process by SIGTERM, or by SIGKILL when patience is over; that, and a bad exit code, is an error.
func (p *process) stop(patience time.Duration) error {
	defer p.kill()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-p.ended:
		if p.err != nil && !byTerm(p.err) {
			return fmt.Errorf("ending by SIGTERM: %w", p.err)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("still running %v after SIGTERM", patience)
	}
}

// byTerm: until it has set up everything Home Assistant has no handler for SIGTERM, and ends by the signal itself.
func byTerm(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return false
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGTERM
}

// kill ends the process at once and returns when it has ended.
func (p *process) kill() {
	p.end()
	<-p.ended
}
