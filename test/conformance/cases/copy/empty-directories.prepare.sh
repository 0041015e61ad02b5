mkdir -p e/f/g; mkdir h
