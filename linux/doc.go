//go:build linux

// Package linux creates processes with clone3.
package linux
