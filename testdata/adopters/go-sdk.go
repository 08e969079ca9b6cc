package main

import (
	"context"
	"log"
	"os"
	"os/exec"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func main() {
	t := &mcp.CommandTransport{Command: exec.Command("sh", "-c", os.Getenv("PROOF_SCRIPT"))}
	if _, err := t.Connect(context.Background()); err != nil {
		log.Fatal(err)
	}
	select {}
}
