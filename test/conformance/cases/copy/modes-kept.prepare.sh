chmod 4755 x; chmod 640 d/y; chmod 2750 d; mkdir sticky; chmod 1777 sticky; chown 5:6 x d
