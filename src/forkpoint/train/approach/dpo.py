"""Supervised fine-tuning on the chosen answers, then direct preference optimisation on the pairs.

The reference that preferences are measured from is what the first stage came to.
"""

from forkpoint.train.approach import full, lora
from forkpoint.train.approach.staged import Staged

BOTH = (Staged("dpo", lora, "preferences"), Staged("dpo-full", full, "preferences"))
