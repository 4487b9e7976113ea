"""The user's data: read it, profile it, split it."""
