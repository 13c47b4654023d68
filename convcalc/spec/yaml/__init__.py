"""YAML text to nodes with places, and what is wrong with a text that is not YAML."""
