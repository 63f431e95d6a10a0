"""The page to write with and to watch runs with, and what it needs beside the API."""
