"""A document to a graph: variables, blocks, repeats and conditions put in."""
