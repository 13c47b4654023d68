"""Changes between a Git revision and the work tree."""
