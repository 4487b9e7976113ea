"""Arms and rungs with their predicted cost, before anything runs."""
