"""Graphs of designs: modules in modules, what each reads, equal neighbours once."""
