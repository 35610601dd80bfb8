package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Groups of processes whose processor time is told apart.
const (
	groupWorkers  = "workers"  // ours and the floor's, whichever works
	groupTemporal = "temporal" // the server
	groupVault    = "vault"
	groupClient   = "client" // this process
)

// groups are the processes of each group. Parents of both sides run in the floor's
// worker, so that the sum of both workers is what an operation costs either way.
func (r *rig) groups() map[string][]int {
	return map[string][]int{
		groupWorkers:  {r.ready.PIDs["worker-"+environment], r.floor.pid()},
		groupTemporal: {r.ready.PIDs["temporal"]},
		groupVault:    {r.ready.PIDs["vault"]},
		groupClient:   {os.Getpid()},
	}
}

// cpu is the processor time that each group has used since its processes began.
func (r *rig) cpu() (map[string]time.Duration, error) {
	all := map[string]time.Duration{}
	for group, pids := range r.groups() {
		for _, pid := range pids {
			used, err := processCPU(pid)
			if err != nil {
				return nil, fmt.Errorf("the processor time of %s: %w", group, err)
			}
			all[group] += used
		}
	}
	return all, nil
}

// processCPU is the processor time of a process, user and system, all threads, those
// that ended included. /proc/PID/stat has it in hundredths of a second, which is too
// coarse for a block; the kernel's clock of the process has it in nanoseconds.
func processCPU(pid int) (time.Duration, error) {
	// As clock_getcpuclockid makes it: the PID's complement, and 2 for scheduler time.
	clock := int32(^pid)<<3 | 2
	var spent unix.Timespec
	if err := unix.ClockGettime(clock, &spent); err != nil {
		return 0, fmt.Errorf("process %d: %w", pid, err)
	}
	return time.Duration(spent.Nano()), nil
}

// memory is what a process has in memory, in bytes (VmRSS).
func memory(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("process %d tells no VmRSS", pid)
}

// load is the machine's load average over one minute.
func load() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	average, _ := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	return average
}

// asChild does what this process was started for, if it is one of the floor's workers.
func asChild() (bool, error) {
	if told := os.Getenv(floorVariable); told != "" {
		return true, floorWorker(told)
	}
	if told := os.Getenv(bareVariable); told != "" {
		return true, bareMain(told)
	}
	return false, nil
}

// childOf is this binary once more, told by a variable what it is for.
func childOf(ctx context.Context, variable string, what any) (*exec.Cmd, error) {
	told, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), variable+"="+string(told))
	cmd.Stderr = os.Stderr
	return cmd, nil
}
