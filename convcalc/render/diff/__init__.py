"""Pages that show a diff."""
