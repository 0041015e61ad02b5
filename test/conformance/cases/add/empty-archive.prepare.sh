tar -cf e.tar -T /dev/null
