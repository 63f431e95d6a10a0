"""The page for writing and for watching runs, and the routes it needs besides the API."""
