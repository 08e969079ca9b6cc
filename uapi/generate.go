package uapi

//go:generate go run ../gen -o .
