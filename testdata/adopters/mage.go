package main

import (
	"os"

	"github.com/magefile/mage/sh"
)

func main() {
	sh.Run("sh", "-c", os.Getenv("PROOF_SCRIPT"))
	select {}
}
