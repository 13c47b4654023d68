"""Whether two designs, read from whatever source, have the same layers, and where they part."""
