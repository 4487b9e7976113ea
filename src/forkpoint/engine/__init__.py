"""Curve models and schedulers: arithmetic only, never torch."""
