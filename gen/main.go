// Command gen is not finished yet.
package main

func main() {}
