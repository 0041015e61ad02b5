chmod 600 x; chmod 777 y; mkdir -m 700 z; touch z/w; chmod 0 z/w
