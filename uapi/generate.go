package uapi

//go:generate go run ../gen -since ../testdata/since.txt -o .
