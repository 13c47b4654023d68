"""Readers of models that are not written in YAML specs: each gives an ordinary graph.

A module here, or a package, reads one format. It has an ``IMPORTER`` that says which files it reads; nothing else lists
it. ``registry`` finds the importer of a file, ``model`` says what it returns, ``builder`` makes the graph.
"""
