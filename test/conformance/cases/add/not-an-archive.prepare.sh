echo hello | gzip -n > one.gz
