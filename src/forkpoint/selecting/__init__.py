"""Which rows are worth training on: score them one by one, then keep the best that differ."""
