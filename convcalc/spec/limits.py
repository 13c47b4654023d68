"""How large a spec may be. All limits are inclusive; exceeding one is an error that names it."""

from __future__ import annotations

from convcalc import shapes

FILE_BYTES = 1 << 20
IMPORTS = 32
YAML_DEPTH = 64
REPEAT = 10_000
LAYERS = 100_000
ITEMS = 1_000_000
LIST = 10_000
ENTRIES = 10_000
NAME = 200
CALLS = 64
PATHS = 32_000_000
"""Characters of the paths of all layers together."""
AXES = shapes.MAX_AXES
AXIS = shapes.MAX_AXIS_SIZE
LONGEST_TEXT = 500
DEEPEST_NESTING = 64
LARGEST = 10**18
LARGEST_EXPONENT = 64
DECIMALS = 30
