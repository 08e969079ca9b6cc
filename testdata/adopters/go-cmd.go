package main

import (
	"os"

	"github.com/go-cmd/cmd"
)

func main() {
	<-cmd.NewCmd("sh", "-c", os.Getenv("PROOF_SCRIPT")).Start()
	select {}
}
