//go:build linux

package main

import (
	"fmt"
	"strings"
)

// A client is a module of the list.
type client struct {
	module, version string
	ci              bool
	packages, flags []string
	keep            []string // files that go on to import os/exec
	out             string   // why it is left out, if it is
}

// parse reads the list of modules, whose head says what its lines mean.
func parse(list string) ([]client, error) {
	var clients []client
	for i, line := range strings.Split(list, "\n") {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		key, values := fields[0], fields[1:]
		if key == "module" || key == "out" {
			if len(values) < 2 {
				return nil, fmt.Errorf("line %d: %s wants more than a name", i+1, key)
			}
			c := client{module: values[0]}
			if key == "out" {
				c.out = strings.Join(values[1:], " ")
			} else {
				c.version, c.ci = values[1], len(values) > 2 && values[2] == "ci"
			}
			clients = append(clients, c)
			continue
		}
		if len(clients) == 0 || clients[len(clients)-1].out != "" {
			return nil, fmt.Errorf("line %d: %s before any module", i+1, key)
		}
		c := &clients[len(clients)-1]
		switch key {
		case "packages":
			c.packages = values
		case "flags":
			c.flags = values
		case "keep":
			c.keep = values
		default:
			return nil, fmt.Errorf("line %d: what is %s?", i+1, key)
		}
	}
	for _, c := range clients {
		if c.out == "" && len(c.packages) == 0 {
			return nil, fmt.Errorf("%s: no packages", c.module)
		}
	}
	return clients, nil
}
