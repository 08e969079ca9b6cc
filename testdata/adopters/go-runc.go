package main

import (
	"context"
	"log"
	"os"

	runc "github.com/containerd/go-runc"
)

func main() {
	// What is run in place of runc ignores its arguments.
	const program = "./runc"
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"+os.Getenv("PROOF_SCRIPT")+"\n"), 0o700); err != nil {
		log.Fatal(err)
	}
	r := &runc.Runc{Command: program}
	for range 50 {
		go func() {
			_, err := r.State(context.Background(), "container")
			log.Print(err)
		}()
	}
	select {}
}
