// Package c reads headers. It is the only one of gen that knows the C parser.
//
// It takes a file system of headers, an architecture and a group, and gives the
// model of what the group declares there: values, layouts, and what has neither,
// with the reason. It opens no file but through that file system, and knows
// nothing of Go names or types.
package c
