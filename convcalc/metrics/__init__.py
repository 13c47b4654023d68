"""Metrics of graphs: one file a family, discovered by `registry`."""
