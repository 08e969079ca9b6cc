package main

import (
	"log"
	"os"

	"github.com/air-verse/air/runner"
)

func main() {
	config := "[build]\ncmd = \"true\"\nfull_bin = \"" + os.Getenv("PROOF_SCRIPT") + "\"\n"
	if err := os.WriteFile("air.toml", []byte(config), 0o600); err != nil {
		log.Fatal(err)
	}
	e, err := runner.NewEngine("air.toml", nil, false)
	if err != nil {
		log.Fatal(err)
	}
	e.Run()
}
