"""Baselines: files, Git revisions, and their update."""
