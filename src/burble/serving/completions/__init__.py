"""The API that existing clients speak: from a request to texts, side by side."""
