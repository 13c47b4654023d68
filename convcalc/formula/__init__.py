"""Closed forms of counts in the symbols of sizes."""
