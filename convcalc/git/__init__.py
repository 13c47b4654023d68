"""Git, without trust: where a repository is, which commit is meant, and what stood in its files."""
