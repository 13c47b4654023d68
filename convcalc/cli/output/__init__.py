"""Where output goes: formats, files, streams, progress."""
