ln x y; mkdir d; ln x d/z; mkfifo pipe
