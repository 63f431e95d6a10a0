"""The folder of a run: its files and their readers, its log, its lock, and its observers."""
