package main

import (
	"context"
	"io"
	"log"
	"os"
	"strings"

	"mvdan.cc/sh/v3/interp"
	"mvdan.cc/sh/v3/syntax"
)

func main() {
	file, err := syntax.NewParser().Parse(strings.NewReader(`sh -c "$PROOF_SCRIPT"`), "")
	if err != nil {
		log.Fatal(err)
	}
	r, err := interp.New(interp.StdIO(nil, io.Discard, io.Discard))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	go r.Run(ctx, file)
	os.Stdin.Read(make([]byte, 1))
	cancel()
	select {}
}
