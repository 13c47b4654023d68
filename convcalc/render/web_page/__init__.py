"""The page: one file that shows a design, designs side by side, or many in a table with a picture."""
