"""Readers of models that are written in other formats: each gives an ordinary graph."""
