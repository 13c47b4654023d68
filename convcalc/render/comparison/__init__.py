"""Pages that show a comparison."""
