"""Imported once by the fork server: everything heavy, with what the libraries say kept quiet."""

import os

_quiet = os.open(os.devnull, os.O_WRONLY)
_kept = os.dup(2)
os.dup2(_quiet, 2)
try:
    import datasets
    import peft
    import torch
    import transformers
    import transformers.models.llama.modeling_llama
    import trl
    import trl.trainer.sft_trainer

    import forkpoint.race.answer_child
    import forkpoint.race.replay_child
    import forkpoint.race.survey_child
    import forkpoint.race.trial_child
    import forkpoint.train.trainer
finally:
    os.dup2(_kept, 2)
    os.close(_kept)
    os.close(_quiet)

__all__ = ["datasets", "forkpoint", "peft", "torch", "transformers", "trl"]
