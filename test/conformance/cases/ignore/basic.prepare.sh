mkdir -p node_modules/a sub/node_modules; echo 1 > node_modules/a/b; echo 2 > sub/node_modules/c
