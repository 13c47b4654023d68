"""From items to the text of a spec."""
