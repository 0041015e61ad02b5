export TZ=UTC
mkdir t && cd t && mkdir -p d/e && echo 1 > d/f && chmod 640 d/f && ln -s f d/l && ln d/f d/hard && chmod 4755 d/e
tar --owner=5 --group=6 --numeric-owner --sort=name --mtime=@1000000000 -cf ../plain.tar .
cd ..
gzip -nc plain.tar > z.tar.gz; bzip2 -c plain.tar > b.any; xz -c plain.tar > x.tar.xz
rm -r t
