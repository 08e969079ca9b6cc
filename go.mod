module github.com/go-clone3/clone3

go 1.26
