"""Take a race's result away: a merged checkpoint, recipes for other trainers, a model card."""
