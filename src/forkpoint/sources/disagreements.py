"""Where the guides disagree: every side with its claims, its rules, and what was measured."""

from typing import Literal

from forkpoint.record import Record
from forkpoint.sources.claims import claim

# What makes a disagreement matter here when its sides are not all rules.
Flag = Literal["unsuffixed_name", "base_with_template", "adapters", "two_tuned_stages"]


class Side(Record):
    """One side; what it stands for is `sources.side_KEY`."""

    key: str
    claims: tuple[str, ...]
    rules: tuple[str, ...] = ()
    said_by: tuple[str, ...] = ()  # guides, where both sides rest on one claim

    @property
    def guides(self) -> tuple[str, ...]:
        """The keys of the guides that take this side."""
        made = (key for name in self.claims for key in claim(name).guides)
        return self.said_by or tuple(dict.fromkeys(made))


class Disagreement(Record):
    """Claims that cannot all be right; the question is `sources.disagreement_KEY`."""

    key: str
    sides: tuple[Side, ...]
    studies: tuple[str, ...] = ()
    flag: Flag | None = None
    within_guide: str | None = None  # one guide that contradicts itself here


DISAGREEMENTS = (
    Disagreement(
        key="rows",
        sides=(
            Side(
                key="rows_thousand",
                claims=("B1", "B2", "B3"),
                rules=("FP-B01", "FP-B02", "FP-B03"),
            ),
            Side(
                key="rows_ten_thousands",
                claims=("B4", "B5"),
                rules=("FP-B04", "FP-B05"),
            ),
            Side(key="rows_instruct", claims=("B23",), rules=("FP-B23",)),
            Side(key="rows_dozens", claims=("B28",), rules=("FP-B28",)),
            Side(key="rows_quality", claims=("E1",)),
        ),
        studies=(
            "lora_land",
            "tinker_sweep",
            "scaling_curves",
            "lima",
            "deita",
            "shadow_ft",
            "maintainers",
            "pocket_stages",
            "pocket_zero_shot",
        ),
        within_guide="unsloth-guide",
    ),
    Disagreement(
        key="compute",
        sides=(
            Side(
                key="compute_chat",
                claims=("B8", "B12", "B24", "B25"),
                rules=("FP-B08", "FP-B12", "FP-B24"),
            ),
            Side(key="compute_base", claims=("B20",), rules=("FP-B20",)),
        ),
        studies=("maintainers",),
        within_guide="qa-guide",
    ),
    Disagreement(
        key="code",
        sides=(
            Side(key="code_base", claims=("B14",), rules=("FP-B14",)),
            Side(key="code_instruct", claims=("B22",), rules=("FP-B22",)),
        ),
        studies=("lora_land",),
    ),
    Disagreement(
        key="assistant",
        sides=(
            Side(key="assistant_base", claims=("B6",), rules=("FP-B06",)),
            Side(key="assistant_chat", claims=("B13", "B22"), rules=("FP-B13", "FP-B22")),
            Side(key="assistant_rag", claims=("C5",), rules=("FP-C02",)),
        ),
        studies=("shadow_ft",),
    ),
    Disagreement(
        key="knowledge",
        sides=(
            Side(key="knowledge_chat", claims=("B7",), rules=("FP-B07",)),
            Side(key="knowledge_cpt", claims=("B10",), rules=("FP-B10", "FP-B19")),
            Side(key="knowledge_rag", claims=("C2",), rules=("FP-C02",)),
            Side(key="knowledge_peft", claims=("D3",), rules=("FP-D03",)),
        ),
        studies=("cpt_residual", "lora_forgets_less", "pocket_lora"),
    ),
    Disagreement(
        key="names",
        sides=(
            Side(key="names_base_marked", claims=("A7",), said_by=("algieba-blog",)),
            Side(key="names_tuned_marked", claims=("A7",), said_by=("qa-guide", "algieba-blog")),
        ),
        flag="unsuffixed_name",
    ),
    Disagreement(
        key="template",
        sides=(
            Side(key="template_both", claims=("A6",)),
            Side(key="template_tuned", claims=("E6",), rules=("FP-B23",)),
        ),
        studies=("stop_threads",),
        flag="base_with_template",
    ),
    Disagreement(
        key="forgetting",
        sides=(
            Side(key="forgetting_less", claims=("D5",), rules=("FP-D05",)),
            Side(key="forgetting_all", claims=("F1",)),
        ),
        studies=("lora_forgets_less", "pocket_forgetting"),
        flag="adapters",
    ),
    Disagreement(
        key="chat_word",
        sides=(
            Side(
                key="chat_word_two",
                claims=("A10",),
                said_by=("table-guide", "qa-guide", "unsloth-guide"),
            ),
            Side(key="chat_word_three", claims=("A10",), said_by=("sft-notes", "algieba-blog")),
        ),
        flag="two_tuned_stages",
    ),
)
