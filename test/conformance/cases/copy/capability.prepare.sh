setcap cap_net_raw=ep prog 2>/dev/null || /usr/sbin/setcap cap_net_raw=ep prog
