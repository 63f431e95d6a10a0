"""A model behind an address: one API that existing clients speak, and a page to write with it."""
