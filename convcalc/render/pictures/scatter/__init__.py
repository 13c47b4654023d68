"""Scatter plots: axes, points and their labels."""
