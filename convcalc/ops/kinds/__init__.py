"""The layer types, one file each, named after the type."""
