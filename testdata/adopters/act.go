package main

import (
	"context"
	"io"
	"os"

	"github.com/nektos/act/pkg/container"
)

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	e := &container.HostEnvironment{Path: ".", StdOut: io.Discard}
	env := map[string]string{"PATH": os.Getenv("PATH")}
	go e.Exec([]string{"sh", "-c", os.Getenv("PROOF_SCRIPT")}, env, "", "")(ctx)
	os.Stdin.Read(make([]byte, 1))
	cancel()
	select {}
}
