package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestReadersSeeAWholeRecordOrNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), recordName)
	long := strings.Repeat("x", 1<<16)
	var writers sync.WaitGroup
	writers.Go(func() {
		for range 50 {
			if err := (&record{Vault: long, MainJob: "passed"}).write(path); err != nil {
				t.Error(err)
			}
		}
	})
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		r, err := readRecord(path)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatalf("half a record: %v", err)
		}
		if r.MainJob != "passed" || r.Vault != long {
			t.Fatal("half a record")
		}
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files are left: %v %v", left, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
}

func TestOneLauncherPerDirectory(t *testing.T) {
	dir := t.TempDir()
	first, err := claim(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := claim(dir); err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("a second launcher was let in: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := claim(dir); err != nil {
		t.Errorf("the directory stays locked: %v", err)
	}
}

func TestStatusOfADirectoryWhereNothingRuns(t *testing.T) {
	dir := t.TempDir()
	if err := status(t.Context(), dir, os.Stdout); err == nil || !strings.Contains(err.Error(), "make run") {
		t.Errorf("got %v", err)
	}
	if err := (&record{PIDs: map[string]int{"devstack": 1 << 30}}).write(filepath.Join(dir, recordName)); err != nil {
		t.Fatal(err)
	}
	if err := status(t.Context(), dir, os.Stdout); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("a record that a killed launcher left is believed: %v", err)
	}
}

func TestTheSandboxKeepsItsAddress(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox-address")
	app := &sandbox{url: "http://127.0.0.1:9070"}
	for range 2 {
		if err := app.sameAddress(path); err != nil {
			t.Fatal(err)
		}
	}
	moved := &sandbox{url: "http://127.0.0.1:9999"}
	if err := moved.sameAddress(path); err == nil || !strings.Contains(err.Error(), "--sandbox-port 9070") {
		t.Errorf("got %v", err)
	}
}
