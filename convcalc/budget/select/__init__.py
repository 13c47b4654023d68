"""Which designs, parts and metrics a budget applies to."""
