"""What goes on in a model while it reads a text: as JSON, in a terminal, as a page."""
