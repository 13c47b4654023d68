"""The spec language: YAML text to an expanded graph."""
