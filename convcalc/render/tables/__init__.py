"""Tables and paragraphs as text, for terminals and pictures."""
