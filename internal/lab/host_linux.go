package lab

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// isolate gives the holder its namespaces.
func (h *Host) isolate() {
	h.holder.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS | unix.CLONE_NEWUTS,
		Setpgid:    true, // a person's Ctrl-C is for the tests, which then end the hosts
	}
}

// enterHost moves the calling thread to the host, for good: a thread that has a root directory of its own cannot share
// it again (CLONE_FS, unshare(2)), and one that shares it cannot change its mounts (setns(2)).
func enterHost(h *Host) error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("entering host %s: %w", h.Name, err)
	}
	for _, ns := range []struct {
		file *os.File
		kind int
	}{{h.netns, unix.CLONE_NEWNET}, {h.uts, unix.CLONE_NEWUTS}, {h.mounts, unix.CLONE_NEWNS}} {
		if err := unix.Setns(int(ns.file.Fd()), ns.kind); err != nil {
			return fmt.Errorf("entering host %s: %w", h.Name, err)
		}
	}
	return nil
}

// onMainThread tells whether this is the thread that stands for the whole process in /proc/PID.
func onMainThread() bool { return unix.Gettid() == unix.Getpid() }

// openTUN makes and drops a TUN device, as far as it can be known beforehand that it works.
func openTUN() error {
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	probe, err := unix.NewIfreq("labprobe%d")
	if err != nil {
		return err
	}
	probe.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	return unix.IoctlIfreq(int(f.Fd()), unix.TUNSETIFF, probe)
}
