PATH=$PATH:/usr/sbin setcap cap_net_raw=ep prog
tar --xattrs --xattrs-include=security.capability --owner=0 --group=0 --mtime=@1000000000 -cf capable.tar prog
