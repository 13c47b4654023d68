"""What the formats share: words for numbers, glyphs, and the layout of text. No file in here is a format."""
