"""Nodes to a document: items, blocks, arguments, claims, imports."""
