package landlock_test

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-clone3/clone3/linux/landlock"
)

// A program that reads the system, changes a directory, and connects to servers by
// HTTPS. Up to ABI 6, rules are the same on all kernels since Linux 6.12.
func Example() {
	rules := landlock.Rules{
		Paths: slices.Concat(
			landlock.ReadExecute("/usr", "/bin"),
			landlock.Optional(landlock.ReadExecute("/lib", "/lib64")),
			landlock.ReadOnly("/etc"),
			landlock.ReadWrite("/home/user/work"),
			landlock.Paths(landlock.ReadFile|landlock.WriteFile, "/dev/null"),
		),
		Ports: landlock.Ports(landlock.ConnectTCP, 443),
		ABI:   6,
	}
	on, err := rules.Resolve(7) // which package linux does
	fmt.Println(len(on.Paths), len(on.Ports), err)
	// Output: 7 1 <nil>
}

// What the kernel cannot enforce is an error that names it.
func ExampleRules_Resolve() {
	rules := landlock.Rules{Paths: landlock.ReadOnly("/"), ABI: 5}
	_, err := rules.Resolve(4)
	fmt.Println(err)
	fmt.Println(errors.Is(err, errors.ErrUnsupported))
	// Output:
	// landlock: IoctlDevice is not supported: needs Landlock ABI 5 (Linux 6.10); this kernel has ABI 4; Rules.ABI or Rules.BestEffort makes do with less
	// true
}

func ExampleUnsupportedError() {
	_, err := new(landlock.Rules).Resolve(9)
	var unsupported *landlock.UnsupportedError
	if errors.As(err, &unsupported) {
		fmt.Println(unsupported.Feature, "needs Linux", unsupported.Release)
	}
	// Output: BindUDP, ConnectUDP needs Linux 7.2
}

// With BestEffort the rules are what the kernel can do, and say what that is not.
func ExampleResolved() {
	rules := landlock.Rules{Paths: landlock.ReadOnly("/"), ABI: 5, BestEffort: true}
	on, _ := rules.Resolve(4)
	fmt.Println(on.LeftOut)
	// Output: [IoctlDevice is not restricted: needs Landlock ABI 5 (Linux 6.10)]
}

// On a kernel without Landlock nothing is left of the rules.
func ExampleResolved_Empty() {
	rules := landlock.Rules{Paths: landlock.ReadOnly("/"), BestEffort: true}
	on, err := rules.Resolve(0)
	fmt.Println(on.Empty(), err)
	// Output: true <nil>
}

// A program that may do all with files, but not speak to the network by TCP.
func ExampleNet() {
	rules := landlock.Rules{
		Free:       landlock.AllAccess,
		FreeNet:    landlock.BindUDP | landlock.ConnectUDP,
		FreeScopes: landlock.AllScopes,
	}
	on, err := rules.Resolve(4)
	fmt.Println(landlock.Access(on.Attr.HandledAccessFs), landlock.Net(on.Attr.HandledAccessNet), err)
	// Output: 0 BindTCP|ConnectTCP <nil>
}

// Names of hosts are looked up over UDP and TCP, from a port that the kernel
// chooses.
func ExamplePorts() {
	dns := slices.Concat(
		landlock.Ports(landlock.ConnectTCP|landlock.ConnectUDP, 53),
		landlock.Ports(landlock.BindUDP, 0),
	)
	fmt.Println(dns)
	// Output: [{53 ConnectTCP|ConnectUDP false} {0 BindUDP false}]
}

func ExampleAccess_String() {
	fmt.Println(landlock.Read|landlock.Execute, landlock.ReadFile, landlock.Write&^landlock.Remove)
	// Output: Read|Execute ReadFile Create|WriteFile|Truncate|Refer
}

func ExamplePaths() {
	fmt.Println(landlock.Paths(landlock.ReadFile|landlock.WriteFile|landlock.IoctlDevice, "/dev/tty"))
	// Output: [{/dev/tty ReadFile|WriteFile|IoctlDevice false false false false}]
}

func ExampleReadOnly() {
	fmt.Println(landlock.ReadOnly("/etc", "/srv/data"))
	// Output: [{/etc Read false false false false} {/srv/data Read false false false false}]
}

func ExampleReadExecute() {
	fmt.Println(landlock.ReadExecute("/usr"))
	// Output: [{/usr Read|Execute false false false false}]
}

func ExampleReadWrite() {
	fmt.Println(landlock.ReadWrite("/tmp/work"))
	// Output: [{/tmp/work Write|Read false false false false}]
}

func ExampleOptional() {
	fmt.Println(landlock.Optional(landlock.ReadOnly("/etc/ssl")))
	// Output: [{/etc/ssl Read true false false false}]
}

// A program that may signal others, of which it is the monitor.
func ExampleScope() {
	rules := landlock.Rules{ABI: 6, FreeScopes: landlock.Signals}
	on, err := rules.Resolve(6)
	fmt.Println(landlock.Scope(on.Attr.Scoped), err)
	// Output: AbstractUnix <nil>
}

// The audit log is to tell what the program is denied.
func ExampleLog() {
	rules := landlock.Rules{ABI: 6, Log: landlock.LogProgram | landlock.NoLogNested}
	on, err := rules.Resolve(7)
	fmt.Println(landlock.Log(on.RestrictFlags), err)
	// Output: LogProgram|NoLogNested <nil>
}
