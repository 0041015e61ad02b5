mkdir t && echo x > t/f && chmod 700 t
tar --sort=name --mtime=@1000000000 --owner=7 --group=8 --numeric-owner -cf a.tar t
rm -r t
