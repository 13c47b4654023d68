"""Pages that show the result of a check."""
