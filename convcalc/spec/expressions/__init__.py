"""The expression language of values: tokens, parser, values and functions."""
