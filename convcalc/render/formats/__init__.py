"""Output formats, one file each, named after the format."""
