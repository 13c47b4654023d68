"""From items to fewer of them: blocks with parameters, repeats with columns."""
