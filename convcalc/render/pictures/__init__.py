"""Pictures of designs, as SVG: the same for files, notebooks, the page and the playground."""
