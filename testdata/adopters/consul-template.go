package main

import (
	"log"
	"os"

	"github.com/hashicorp/consul-template/child"
)

func main() {
	c, err := child.New(&child.NewInput{Command: "sh", Args: []string{"-c", os.Getenv("PROOF_SCRIPT")}})
	if err != nil {
		log.Fatal(err)
	}
	if err := c.Start(); err != nil {
		log.Fatal(err)
	}
	select {}
}
