"""Designs by name: specs on disk, bundled networks, their parts and claims."""
