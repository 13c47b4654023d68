"""The spec language: from YAML text to a shaped graph."""
