"""Git: repositories, commits, and the files of a commit."""
