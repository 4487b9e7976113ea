"""forkpoint: which checkpoint to fine-tune, and how - advised, then proven by a race."""

__version__ = "0.1.0"
