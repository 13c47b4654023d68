"""Whether two designs, read from whatever source, are the same network, and where they part."""
