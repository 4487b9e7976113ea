"""The learning rate to start from, with the reason for it."""

from typing import Literal

from forkpoint.record import Record

# LoRA rate = 5e-5 x 10 x (2000 / hidden) ** exponent [Tinker cookbook, hyperparam_utils]
RULE_BASE = 5e-5
LORA_OVER_FULL = 10  # [LoRA Without Regret, 2025: about 10 times the best full rate]
RULE_HIDDEN = 2000
RULE_EXPONENTS = {"llama": 0.781, "qwen": 0.0775}
RULE_SMALLEST_HIDDEN = 1024  # the rule was fitted on hidden sizes from here on
SWEPT_HIDDEN = 128  # hidden size of our own sweep, on the pocket family
SWEPT_RATES = (3e-3, 1e-3)  # best of it: LoRA, full [docs/LOG.md, rates]


class Rate(Record):
    """A learning rate and where it comes from."""

    value: float
    origin: Literal["published", "measured", "ruled"]
    key: str  # catalogue key of the reason
    values: dict[str, str | int | float]


def starting_rate(hidden_size: int, family: str | None, lora: bool) -> Rate:
    """The published rule where it was fitted, and towards our own sweep below that."""
    if hidden_size >= RULE_SMALLEST_HIDDEN:
        return _published(hidden_size, family, lora)
    return _below_the_rule(hidden_size, lora)


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


def _below_the_rule(hidden_size: int, lora: bool) -> Rate:
    """Our own sweep's value at its size, log-linear from there to where the rule begins."""
    swept = SWEPT_RATES[0 if lora else 1]
    rule = _published(RULE_SMALLEST_HIDDEN, "llama", lora).value
    span = RULE_SMALLEST_HIDDEN - SWEPT_HIDDEN
    share = max(0, hidden_size - SWEPT_HIDDEN) / span
    at_sweep = hidden_size == SWEPT_HIDDEN
    return Rate(
        value=swept ** (1 - share) * rule**share,
        origin="measured" if at_sweep else "ruled",
        key="train.rate_swept" if at_sweep else "train.rate_between",
        values={"hidden": hidden_size, "small": SWEPT_HIDDEN, "large": RULE_SMALLEST_HIDDEN},
    )
