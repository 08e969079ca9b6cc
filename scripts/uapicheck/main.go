// Command uapicheck compares package uapi, as it is committed, with another
// package that declares the same things:
//
//	go run ./scripts/uapicheck DIR
//
// DIR is package uapi made from a newer kernel. Every constant must be there
// with the same value and every type with each field where it was, on every
// GOARCH; more constants, types and fields are no difference. So a newer
// kernel cannot make the committed package wrong without being seen, and does
// not fail the check by being newer.
package main

import (
	"fmt"
	"os"

	"github.com/go-clone3/clone3/scripts/internal/declared"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: uapicheck DIR")
		os.Exit(2)
	}
	result, err := compare("uapi", os.Args[1], everything)
	if err != nil {
		fmt.Fprintln(os.Stderr, "uapicheck:", err)
		os.Exit(2)
	}
	for _, d := range result.Differences {
		fmt.Println(d)
	}
	if n := len(result.Differences); n > 0 {
		fmt.Fprintf(os.Stderr, "uapicheck: %d declarations of uapi do not hold in %s\n", n, os.Args[1])
		os.Exit(1)
	}
	fmt.Printf("all %d constants and %d types of uapi hold there, on %d architectures\n", result.Consts, result.Types, len(declared.GOARCHes))
}
