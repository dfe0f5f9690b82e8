package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Who may read the state directory. It holds private keys, so it is 0700. One that is open to others is narrowed when it
// is evidently ours (systemd's StateDirectory= makes it 0755, and people type mkdir); with anything else in it, it is
// refused: narrowing /tmp or somebody's home because of a mistyped flag would break other things.

const shared = 0o077 // the permissions of group and others

// enter makes the directory when there is none, and refuses one that cannot be ours. It changes no existing directory.
func enter(dir string) error {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return makeDir(dir)
	}
	if err != nil {
		return advise(err)
	}
	if !info.IsDir() {
		return errors.New("it is not a directory; give --state-dir a directory")
	}
	if info.Mode().Perm()&shared == 0 {
		return nil
	}
	stranger, err := foreign(dir)
	if err != nil {
		return advise(err)
	}
	if stranger != "" {
		return fmt.Errorf("others may read it (mode %04o) and it holds other things (%q); give --state-dir a directory of its own; nothing was changed",
			info.Mode().Perm(), stranger)
	}
	return nil
}

// foreign is the name of something in the directory that is not Hearthgate's; empty when the directory is ours.
func foreign(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	stranger := ""
	for _, e := range entries {
		switch name := e.Name(); {
		case name == fileName:
			return "", nil
		case name == "lost+found": // a card's partition of its own has one
		case !strings.HasPrefix(name, "hearthgate."):
			stranger = name
		}
	}
	return stranger, nil
}

// seclude narrows the directory, once it is known that the state in it is ours and may be written.
func seclude(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if info.Mode().Perm()&shared == 0 {
		return nil
	}
	if err := os.Chmod(dir, info.Mode().Perm()&^shared); err != nil {
		return fmt.Errorf("others may read it (mode %04o), and it cannot be narrowed to 0700: %w", info.Mode().Perm(), bare(err))
	}
	if info, err = os.Stat(dir); err == nil && info.Mode().Perm()&shared != 0 {
		err = errors.New("others may read it, and this file system keeps no permissions; give --state-dir a directory on one that does")
	}
	return err
}

// makeDir makes the directory and those above it, each of them on the disk before anything is put into it.
func makeDir(dir string) error {
	parent := filepath.Dir(dir)
	if _, err := os.Stat(parent); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := makeDir(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) { // another start may have been first
		return advise(fmt.Errorf("making %q: %w", dir, bare(err)))
	}
	return syncDir(parent)
}

// syncDir puts a directory's list of names on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil // one may make a name in a directory that one may not read; then the kernel syncs it in its own time
		}
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// advise adds what to do about a directory that this user may not use.
func advise(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; give --state-dir a directory that this user may write, or start Hearthgate as the user it belongs to", err)
	}
	return err
}

// bare takes the operation and the path off an error of os, where the sentence around it names them already.
func bare(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
