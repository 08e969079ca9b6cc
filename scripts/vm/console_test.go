package main

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-clone3/clone3/scripts/internal/guest"
)

// An exit is a run that has ended.
type exit struct{ run, status int }

// A recording is what a Watcher saw.
type recording struct {
	outputs map[int]string
	exits   []exit
}

func record() (*recording, Watcher) {
	r := &recording{outputs: map[int]string{}}
	return r, Watcher{
		Start:  func(int) {},
		Output: func(run int, text string) { r.outputs[run] += text },
		Exit:   func(run, status int) { r.exits = append(r.exits, exit{run, status}) },
	}
}

func TestWatchMachine(t *testing.T) {
	plan := guest.Plan{Nonce: nonce, Runs: []guest.Run{{Package: "p"}, {Package: "q"}}}
	boot := "[ 0.1] Linux\r\n" + mark(guest.Booted, 0)
	tests := map[string]struct {
		text, stderr string
		hangs        bool
		outputs      map[int]string
		exits        []exit
		err          string
	}{
		"two runs": {
			text:    boot + mark(guest.Start, 0) + "PASS\n" + mark(guest.Exit, 0) + mark(guest.Start, 1) + "FAIL\n" + mark(guest.Exit, 1) + mark(guest.Done, 0),
			outputs: map[int]string{0: "PASS\n", 1: "FAIL\n"}, exits: []exit{{0, 0}, {1, 1}},
		},
		"output is kept as it is": {
			text:    boot + mark(guest.Start, 0) + "a\r\n\n\nb" + mark(guest.Exit, 0) + mark(guest.Start, 1) + mark(guest.Exit, 137) + mark(guest.Done, 0),
			outputs: map[int]string{0: "a\r\n\n\nb"}, exits: []exit{{0, 0}, {1, 137}},
		},
		"another's marks are output": {
			text:    boot + mark(guest.Start, 0) + "clone3:GUESS:exit:0\nclone3:NONCE:exit:x\n" + mark(guest.Exit, 2) + mark(guest.Start, 1) + mark(guest.Exit, 0) + mark(guest.Done, 0),
			outputs: map[int]string{0: "clone3:GUESS:exit:0\nclone3:NONCE:exit:x\n"}, exits: []exit{{0, 2}, {1, 0}},
		},
		"a long line": {
			text:    boot + mark(guest.Start, 0) + strings.Repeat("x", 1<<20) + mark(guest.Exit, 0) + mark(guest.Start, 1) + mark(guest.Exit, 0) + mark(guest.Done, 0),
			outputs: map[int]string{0: strings.Repeat("x", 1<<20)}, exits: []exit{{0, 0}, {1, 0}},
		},
		"the second run comes first": {
			text:    boot + mark(guest.Start, 1) + "q\n" + mark(guest.Exit, 3) + mark(guest.Start, 0) + "p\n" + mark(guest.Exit, 0) + mark(guest.Done, 0),
			outputs: map[int]string{0: "p\n", 1: "q\n"}, exits: []exit{{1, 3}, {0, 0}},
		},
		"no marks": {
			text: "[ 0.1] Linux\r\n[ 0.2] no init\r\n",
			err:  "the machine ended before the first program ran; it wrote last:\n\t[ 0.1] Linux\n\t[ 0.2] no init",
		},
		"no output": {err: "the machine ended before the first program ran; it wrote nothing"},
		"emulator fails": {
			stderr: "qemu: no such machine\n",
			err:    "ended before the first program ran: qemu: no such machine",
		},
		"no mark of the end": {
			text:    boot + mark(guest.Start, 0) + "=== RUN TestX\n",
			outputs: map[int]string{0: "=== RUN TestX"},
			err:     "the machine ended while p ran; it wrote last:\n\t=== RUN TestX",
		},
		"kernel panic": {
			text:    boot + mark(guest.Start, 0) + mark(guest.Exit, 0) + mark(guest.Start, 1) + "[ 3.1] Kernel panic - not syncing: Oops\r\n[ 3.2] more\r\n",
			outputs: map[int]string{1: "[ 3.1] Kernel panic - not syncing: Oops\r\n[ 3.2] more\r"}, exits: []exit{{0, 0}},
			err: "the kernel panicked while q ran: Kernel panic - not syncing: Oops",
		},
		"hang before init": {
			text: "[ 0.1] Linux\n", hangs: true,
			err: "the machine was stopped before the first program ran: no end after 2s; it wrote last:\n\t[ 0.1] Linux",
		},
		"hang in a test": {
			text: boot + mark(guest.Start, 0) + "zzz\n", hangs: true,
			outputs: map[int]string{0: "zzz"},
			err:     "the machine was stopped while p ran: no end after 1s; it wrote last:\n\tzzz",
		},
		"too few runs": {
			text:  boot + mark(guest.Start, 0) + mark(guest.Exit, 0) + mark(guest.Done, 0),
			exits: []exit{{0, 0}},
			err:   "1 of 2 runs came to an end",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			exe, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), "FAKE_EMULATOR="+tt.text, "FAKE_EMULATOR_STDERR="+tt.stderr)
			if len(tt.text) > 1<<16 { // longer than a variable may be
				cmd = exec.Command("/bin/sh", "-c", "cat")
				cmd.Stdin = strings.NewReader(tt.text)
			}
			if tt.hangs {
				cmd.Env = append(cmd.Env, "FAKE_EMULATOR_HANGS=1")
			}
			got, watch := record()
			limits := Limits{Boot: 2 * time.Minute, Run: time.Minute}
			if tt.hangs {
				limits = Limits{Boot: 2 * time.Second, Run: time.Second}
			}
			err = watchMachine(t.Context(), cmd, plan, limits, watch)
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.HasSuffix(err.Error(), tt.err)) {
				t.Errorf("got error %v\nwant %s", err, tt.err)
			}
			if !slices.Equal(got.exits, tt.exits) {
				t.Errorf("got exits %v, want %v", got.exits, tt.exits)
			}
			for run := range plan.Runs {
				if got.outputs[run] != tt.outputs[run] {
					t.Errorf("run %d: got output %.300q\nwant %.300q", run, got.outputs[run], tt.outputs[run])
				}
			}
		})
	}
}

// A machine that has booted has the time that runs have, each of them anew.
func TestTimeToBootIsForBooting(t *testing.T) {
	t.Parallel()
	const boot = 3 * time.Second
	cmd := exec.Command("/bin/sh", "-c", `printf "$1"; sleep 4; printf "$2"`, "sh",
		mark(guest.Booted, 0)+mark(guest.Start, 0), mark(guest.Exit, 0)+mark(guest.Done, 0))
	_, watch := record()
	plan := guest.Plan{Nonce: nonce, Runs: []guest.Run{{Package: "p"}}}
	if err := watchMachine(t.Context(), cmd, plan, Limits{Boot: boot, Run: time.Minute}, watch); err != nil {
		t.Errorf("got error %v, want that it has a minute", err)
	}
}
