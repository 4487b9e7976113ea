"""A run folder as it is read: its files, and what became of its answers."""
