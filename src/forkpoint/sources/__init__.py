"""Claims and figures, each with where it comes from."""
