// Package model is what the stages of gen hand to each other: plain data, its
// JSON, and the difference between two kernels.
//
// It takes no input and gives no output but text: it reads no file, knows no C
// parser and no Go syntax, and imports nothing but the standard library. Every
// other package of gen imports it, and it imports none of them.
package model
