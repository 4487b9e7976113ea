"""The learning rate to start from, with the reason for it."""

from typing import Literal

from forkpoint.record import Record

# LoRA rate = 5e-5 x 10 x (2000 / hidden) ** exponent [Tinker cookbook, hyperparam_utils]
RULE_BASE = 5e-5
LORA_OVER_FULL = 10  # [LoRA Without Regret, 2025: about 10 times the best full rate]
RULE_HIDDEN = 2000
RULE_EXPONENTS = {"llama": 0.781, "qwen": 0.0775}
RULE_SMALLEST_HIDDEN = 1024  # the rule was fitted on hidden sizes from here on
# Own sweeps outside that range: hidden size -> (LoRA, full) [docs/LOG.md, rates]
SWEPT = {128: (3e-3, 1e-3), 576: (1e-3, 1e-4)}


class Rate(Record):
    """A learning rate and where it comes from."""

    value: float
    origin: Literal["published", "measured", "ruled"]
    key: str  # catalogue key of the reason
    values: dict[str, str | int | float]


def starting_rate(hidden_size: int, family: str | None, lora: bool) -> Rate:
    """The published rule where it was fitted, between our own sweeps below that."""
    if hidden_size >= RULE_SMALLEST_HIDDEN:
        return _published(hidden_size, family, lora)
    return _from_sweeps(hidden_size, lora)


def _published(hidden_size: int, family: str | None, lora: bool) -> Rate:
    """The rule of the family; the lower of the two for a family it was not fitted on."""
    rates = {
        name: RULE_BASE * LORA_OVER_FULL * (RULE_HIDDEN / hidden_size) ** exponent
        for name, exponent in RULE_EXPONENTS.items()
    }
    fitted = next((name for name in rates if family and family.startswith(name)), None)
    value = rates[fitted] if fitted else min(rates.values())
    value = value if lora else value / LORA_OVER_FULL
    return Rate(
        value=value,
        origin="published" if fitted else "ruled",
        key="train.rate_published" if fitted else "train.rate_published_other",
        values={"hidden": hidden_size, "family": fitted or family or "?"},
    )


def _from_sweeps(hidden_size: int, lora: bool) -> Rate:
    """Log-linear between the two swept sizes, and their own values outside."""
    (small, low), (large, high) = sorted(SWEPT.items())
    column = 0 if lora else 1
    share = (min(max(hidden_size, small), large) - small) / (large - small)
    value = low[column] ** (1 - share) * high[column] ** share
    return Rate(
        value=value,
        origin="measured" if hidden_size in SWEPT else "ruled",
        key="train.rate_swept" if hidden_size in SWEPT else "train.rate_between",
        values={"hidden": hidden_size, "small": small, "large": large},
    )
