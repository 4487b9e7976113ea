"""Who runs what next, when to stop, how to resume."""
