"""Show the results of commands in a terminal."""
