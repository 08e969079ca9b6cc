// Package kernel makes file systems of kernel trees. It is the only one of gen
// that reads a kernel from the disk.
//
// It takes a directory: a source tree, installed headers, a package of headers.
// It gives, for an architecture, the headers that #include finds, each made when
// it is opened, as `make headers_install` would make it; and their names. It
// does not look into what the headers declare.
package kernel
