"""Constants that are computed: shapes, axes and sizes, and what exporters write to make them, in plain Python."""
