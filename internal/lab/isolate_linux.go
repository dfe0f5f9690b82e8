package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// reportFile is where the process inside says that it has moved in, or why it could not: the first of ExtraFiles.
const (
	reportFile = 3
	movedIn    = "moved in"
)

// startInside runs this very test binary in new namespaces and returns its exit code. An error means that no test ran.
func startInside() (code int, err error) {
	// The process inside dies with the thread that started it (PR_SET_PDEATHSIG, prctl(2)), so this thread must stay.
	runtime.LockOSThread()
	ways := []way{asUser}
	if os.Geteuid() == 0 {
		ways = []way{asRoot, asUser} // root of a container may lack CAP_SYS_ADMIN
	}
	var refusals []string
	for _, by := range ways {
		code, err := startBy(by)
		if err == nil {
			return code, nil
		}
		refusals = append(refusals, fmt.Sprintf("as %s: %v", by, err))
	}
	return 0, errors.New("no namespaces can be made here (" + strings.Join(refusals, "; ") + ")")
}

func startBy(by way) (code int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	report, reportIn, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer report.Close()
	cmd := exec.CommandContext(context.Background(), self, os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = []*os.File{reportIn}
	cmd.Env = append(os.Environ(), placeVar+"="+placeEntering+string(by))
	cmd.SysProcAttr = isolation(by)

	signals := make(chan os.Signal, 8)
	signal.Notify(signals, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2)
	defer signal.Stop(signals)
	err = cmd.Start()
	reportIn.Close()
	if errors.Is(err, unix.ENOSPC) {
		err = errors.New("the limit of namespaces in /proc/sys/user is reached") // clone(2)
	}
	if err != nil {
		return 0, err
	}
	said, err := io.ReadAll(report)
	if err != nil || string(said) != movedIn {
		return 0, errors.Join(err, cmd.Wait(), errors.New(string(said)))
	}
	ended := make(chan struct{})
	defer close(ended)
	go pass(signals, cmd.Process, ended)
	return exitCode(cmd.Wait())
}

// isolation names the namespaces. The PID namespace is what ends every process of the lab together with the tests,
// grandchildren included: the kernel kills all of it when its first process, the test binary, ends (pid_namespaces(7)).
func isolation(by way) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWUTS | unix.CLONE_NEWIPC,
		Pdeathsig:  unix.SIGKILL,
	}
	if by == asUser {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return attr
}

// pass hands on signals, so that what go test or a person sends to the process outside reaches the tests.
func pass(signals <-chan os.Signal, to *os.Process, ended <-chan struct{}) {
	for {
		select {
		case s := <-signals:
			_ = to.Signal(s) // it may have ended in between; then Wait says so
		case <-ended:
			return
		}
	}
}

// exitCode turns a Wait into what a shell would report.
func exitCode(err error) (int, error) {
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return 0, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}

// moveIn furnishes the new namespaces and reports to the process outside, which runs the tests itself when this fails.
func moveIn() bool {
	report := os.NewFile(reportFile, "report")
	defer report.Close()
	if err := furnish(); err != nil {
		fmt.Fprintf(report, "moving in: %v", err)
		return false
	}
	_, err := report.WriteString(movedIn)
	return err == nil
}

// furnish makes the bare namespaces liveable: mounts that stay in here, a /proc of these processes only, a /run whose
// sockets are ours, and a loopback that is up.
func furnish() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	for _, dir := range runDirs() {
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
			return fmt.Errorf("mounting %s: %w", dir, err)
		}
	}
	if err := unix.Sethostname([]byte("lab")); err != nil {
		return fmt.Errorf("naming the host: %w", err)
	}
	return raiseLoopback()
}

// runDirs is /run, and /var/run where that is still a directory of its own.
func runDirs() []string {
	dirs := []string{"/run"}
	if info, err := os.Lstat("/var/run"); err == nil && info.IsDir() {
		dirs = append(dirs, "/var/run")
	}
	return dirs
}

// raiseLoopback sets lo up: a new network namespace has it down (network_namespaces(7)), and tests use 127.0.0.1.
func raiseLoopback() error {
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("raising lo: %w", err)
	}
	defer unix.Close(socket)
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("raising lo: %w", err)
	}
	return nil
}
