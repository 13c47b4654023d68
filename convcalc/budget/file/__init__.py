"""The budget file: types, reader, schema."""
