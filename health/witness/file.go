package witness

import (
	"errors"
	"os"
	"path/filepath"
)

// A file is written beside its place, forced to the disk and then put there in one step: whoever reads finds the old one or the new
// one, and a power cut leaves no half of one.

const newPrefix = ".new-"

// writeNew puts a file where none is; one that is there stays, and the error is fs.ErrExist.
func writeNew(path string, text []byte) error { return write(path, text, os.Link) }

// replace puts a file, whatever is there.
func replace(path string, text []byte) error { return write(path, text, os.Rename) }

func write(path string, text []byte, place func(from, to string) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), newPrefix+"*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := place(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
