"""Score one arm."""
