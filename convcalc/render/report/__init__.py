"""Pages that show a report."""
