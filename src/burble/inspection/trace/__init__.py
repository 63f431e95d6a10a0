"""Show what happens in a model while it reads a text: as JSON, in a terminal, as a page."""
