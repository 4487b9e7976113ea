"""Continued pre-training on raw text, then supervised fine-tuning of the same weights [B9, B10]."""

from forkpoint.train.approach import full, lora
from forkpoint.train.approach.staged import Staged

BOTH = (Staged("cpt", lora, "corpus"), Staged("cpt-full", full, "corpus"))
