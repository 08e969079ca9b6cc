package main

import (
	"context"
	"log"
	"os"

	"github.com/mark3labs/mcp-go/client/transport"
)

func main() {
	t := transport.NewStdio("sh", nil, "-c", os.Getenv("PROOF_SCRIPT"))
	if err := t.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	select {}
}
