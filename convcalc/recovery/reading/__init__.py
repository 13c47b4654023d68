"""From a graph to nested items: what is fused, what is a branch, what is read by name."""
