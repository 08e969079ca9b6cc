//go:build linux && !clone3_osexec

package exec_test

import (
	"bufio"
	"fmt"
	"os"
	"strconv"

	"github.com/go-clone3/clone3/linux/exec"
	"golang.org/x/sys/unix"
)

// openTerminal opens a pair: what is written to one end is read from the other,
// as between a person and a program at a terminal.
func openTerminal() (person, program *os.File, err error) {
	person, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	conn, err := person.SyscallConn()
	if err != nil {
		return nil, nil, err
	}
	var number int
	conn.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if err == nil {
		program, err = os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		person.Close()
		return nil, nil, err
	}
	return person, program, nil
}

// A command that runs at a terminal of its own, as with the Start of
// github.com/creack/pty. Setsid and Setctty are those of SysProcAttr, or of the
// Child that a Cmd embeds.
func Example_terminal() {
	person, program, err := openTerminal()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer person.Close()

	cmd := exec.Command("tty", "-s") // is successful if its input is a terminal
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.Setsid, cmd.Setctty = true, true // of descriptor Ctty of the command: 0
	err = cmd.Run()
	fmt.Println("tty:", err)

	cmd = exec.Command("sh", "-c", "read name </dev/tty && echo hello $name")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
	cmd.Setsid, cmd.Setctty = true, true
	err = cmd.Start()
	program.Close() // it is the command's: when that has ended, Read fails with EIO
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Fprintln(person, "gopher")
	for lines := bufio.NewScanner(person); lines.Scan(); {
		fmt.Println(lines.Text()) // the terminal echoes what is typed
	}
	fmt.Println("sh:", cmd.Wait())
	// Output:
	// tty: <nil>
	// gopher
	// hello gopher
	// sh: <nil>
}
