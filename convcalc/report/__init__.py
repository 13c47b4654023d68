"""Reports of one design, grouped rows, and reports compared."""
