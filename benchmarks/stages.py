"""The stage of real checkpoints, judged by their names, cards and files.

    python benchmarks/stages.py [--errors | --weights] [--json]

Rows are in tests/facts/checkpoints/files.json: what could be read of each checkpoint, its label
and the addresses of both. A family whose name's SHA-256, divided by 3, leaves no remainder is for
tuning; all others are held out, and nobody looks at their errors: `--errors` shows those of the
tuning part only, `--weights` what each kind of evidence is worth there. An answer is right when
the chance of Base is above one half for a base and below it for a tuned checkpoint. Intervals are
over rows (Wilson) and over families (bootstrap).
"""

import argparse
import hashlib
import json
import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forkpoint.facts.card import Card
from forkpoint.facts.checkpoint_facts import TemplateFacts
from forkpoint.facts.judgement import gather, judge
from forkpoint.facts.reading import Reading
from forkpoint.facts.tokenizer_files import TokenizerFacts

FILE = Path(__file__).resolve().parents[1] / "tests" / "facts" / "checkpoints" / "files.json"
PARTS = 3  # families by the remainder of their hash: 0 is for tuning, 1 and 2 are held out
REPEATS = 2_000  # bootstrap samples of families
ALL_GROUPS = ("name", "card", "generation_config", "template", "tokenizer", "architecture",
              "training", "weights")  # fmt: skip
NAME_AND_FILES = ("card",)
NAME_ONLY = tuple(group for group in ALL_GROUPS if group != "name")
FILES_ONLY = ("name", "card")
JUDGED = ("sold_as", "post_training", "kind")
Row = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What was said of one row."""

    row: Row
    base: float  # probability of Base
    heard: bool  # whether any evidence was left
    said: dict[str, str]  # the values of sold_as, post_training and kind

    @property
    def right(self) -> bool:
        """Whether the side of one half is the label's."""
        is_base: bool = self.row["label"]["stage"] == "base"
        return (self.base > 0.5) == is_base

    @property
    def loss(self) -> float:
        """Log loss in nats."""
        chance = self.base if self.row["label"]["stage"] == "base" else 1 - self.base
        return -math.log(max(chance, 1e-12))


def read_rows(path: Path = FILE) -> tuple[list[Row], dict[str, Any]]:
    """The rows and the token lists that they point to."""
    source = json.loads(path.read_text(encoding="utf-8"))
    return source["rows"], source["tokens"]


def held_out(row: Row) -> bool:
    """Whether the row's family was kept away from tuning."""
    digest = hashlib.sha256(row["family"].encode()).hexdigest()
    return int(digest, 16) % PARTS != 0


def reading_of(row: Row, tokens: dict[str, Any]) -> Reading:
    """What the reader of checkpoints would have handed on; facts that were not read stay empty."""
    found = row.get("template")
    features = found if isinstance(found, dict) else {}
    config = {"model_type": row.get("model_type", ""), **row.get("config", {})}
    known = tokens[row["tokens"]]["ids"] if "tokens" in row else {}
    return Reading(
        name=row["id"],
        title=row["id"].rsplit("/", 1)[-1],
        files=tuple(row.get("files", ())),
        config={key: value for key, value in config.items() if value != ""},
        generation=row.get("generation", {}),
        adapter={"peft_type": "LORA"} if "adapter_config.json" in row.get("files", ()) else {},
        tokenizer=TokenizerFacts(
            kind="unread" if found is not None else None, vocabulary=dict(known)
        ),
        template_text=_template_text(features) if found else None,
        template=TemplateFacts(present=bool(found)),
        card=Card(
            base_models=tuple(row.get("base_model", ())),
            licence=row.get("licence"),
            tags=tuple(row.get("tags", ())),
            datasets=tuple(row.get("datasets", ())),
            text=row.get("card", ""),
        ),
    )


def _template_text(features: dict[str, Any]) -> str:
    """A text with the features that signals look for, where the template's text was not kept."""
    words = ["messages"]
    if features.get("tools"):
        words.append("tools tool_call")
    if features.get("thinking"):
        words.append("enable_thinking")
    if features.get("opens_thought"):
        words.append("<think>")
    return " ".join(words)


def answers(
    rows: Iterable[Row], tokens: dict[str, Any], hidden: Iterable[str] = ()
) -> list[Answer]:
    """The judgement of each row with some groups of signals hidden."""
    given = []
    for row in rows:
        reading = reading_of(row, tokens)
        unread = () if "template" in row else ("template",)  # absent here means not read
        judged = judge(reading, (*hidden, *unread))
        heard = bool(gather(reading, (*hidden, *unread)).sold_as)
        said = dict(zip(JUDGED, (one.value for one in judged), strict=True))
        given.append(Answer(row, judged[0].probabilities["base"], heard, said))
    return given


def wilson(right: int, n: int) -> tuple[float, float]:
    """95 % interval of a share."""
    z, share = 1.96, right / n
    centre = share + z * z / (2 * n)
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (centre - spread) / (1 + z * z / n), (centre + spread) / (1 + z * z / n)


def over_families(given: list[Answer], figure: Callable[[Answer], float]) -> tuple[float, float]:
    """95 % interval of a mean figure when families are drawn anew."""
    sums: dict[str, float] = {}
    sizes: dict[str, int] = {}
    for answer in given:
        family = answer.row["family"]
        sums[family] = sums.get(family, 0.0) + figure(answer)
        sizes[family] = sizes.get(family, 0) + 1
    names = sorted(sums)
    drawn = np.random.default_rng(0).integers(len(names), size=(REPEATS, len(names)))
    total = np.array([sums[name] for name in names])[drawn].sum(axis=1)
    count = np.array([sizes[name] for name in names])[drawn].sum(axis=1)
    low, high = np.quantile(total / count, (0.025, 0.975))
    return float(low), float(high)


def accuracy(given: list[Answer]) -> float:
    """Share of right answers."""
    return sum(answer.right for answer in given) / len(given)


def log_loss(given: list[Answer]) -> float:
    """Mean log loss in nats."""
    return sum(answer.loss for answer in given) / len(given)


def summary(given: list[Answer]) -> dict[str, Any]:
    """All figures of one condition."""
    right = sum(answer.right for answer in given)
    by_stage = {
        stage: [a for a in given if a.row["label"]["stage"] == stage] for stage in ("base", "tuned")
    }
    return {
        "n": len(given),
        "accuracy": accuracy(given),
        "wilson": wilson(right, len(given)),
        "families": len({answer.row["family"] for answer in given}),
        "over_families": over_families(given, lambda answer: answer.right),
        "log_loss": log_loss(given),
        "log_loss_over_families": over_families(given, lambda answer: answer.loss),
        "values": {field: _values(given, field) for field in JUDGED},
        "by_stage": {
            stage: {"n": len(rows), "accuracy": accuracy(rows)}
            for stage, rows in by_stage.items()
            if rows
        },
    }


def _values(given: list[Answer], field: str) -> dict[str, Any]:
    """How often one of the three values is named as labelled, wrongly, or left unknown."""
    labelled = [answer for answer in given if field in answer.row["label"]]
    said = [answer.said[field] for answer in labelled]
    right = sum(
        value == answer.row["label"][field] for value, answer in zip(said, labelled, strict=True)
    )
    return {
        "n": len(labelled),
        "right": right,
        "unknown": said.count("unknown"),
        "wilson": wilson(right, len(labelled)) if labelled else None,
    }


def _gain(whole: list[Answer], names: list[Answer]) -> dict[str, Any]:
    """By how much log loss falls against names alone, on the same rows, in nats."""
    by_name = {answer.row["id"]: answer.loss for answer in names}
    low, high = over_families(whole, lambda answer: by_name[answer.row["id"]] - answer.loss)
    return {"mean": log_loss(names) - log_loss(whole), "over_families": (low, high)}


def study(rows: list[Row], tokens: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each part under each condition."""
    parts = {
        "tuning": [row for row in rows if not held_out(row)],
        "held-out": [row for row in rows if held_out(row)],
        "held-out, hard": [row for row in rows if held_out(row) and "hard" in row],
        "all": rows,
        "all, hard": [row for row in rows if "hard" in row],
    }
    found: dict[str, dict[str, Any]] = {}
    for name, part in parts.items():
        files = [a for a in answers(part, tokens, FILES_ONLY) if a.heard]
        whole, names = answers(part, tokens), answers(part, tokens, NAME_ONLY)
        found[name] = {
            "all signals": summary(whole) | {"gain_over_names": _gain(whole, names)},
            "names only": summary(names),
            "card hidden": summary(answers(part, tokens, NAME_AND_FILES)),
            "name and card hidden": summary(files) | {"nothing to go by": len(part) - len(files)},
        }
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--errors", action="store_true", help="wrong answers of the tuning part")
    parser.add_argument("--weights", action="store_true", help="what evidence is worth")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows, tokens = read_rows()
    if options.errors:
        _print_errors([row for row in rows if not held_out(row)], tokens)
        return
    if options.weights:
        _print_weights([row for row in rows if not held_out(row)], tokens)
        return
    found = study(rows, tokens)
    if options.json:
        json.dump(found, sys.stdout, indent=1)
        return
    for part, conditions in found.items():
        print(f"\n{part}")
        for condition, figures in conditions.items():
            low, high = figures["wilson"]
            far_low, far_high = figures["over_families"]
            stages = ", ".join(
                f"{stage} {one['accuracy']:.1%} of {one['n']}"
                for stage, one in figures["by_stage"].items()
            )
            print(
                f"  {condition:<21} n {figures['n']:>3}  {figures['accuracy']:.1%} "
                f"({low:.1%} to {high:.1%}; over {figures['families']} families "
                f"{far_low:.1%} to {far_high:.1%})  log loss {figures['log_loss']:.3f}  [{stages}]"
            )
        gain = conditions["all signals"]["gain_over_names"]
        low, high = gain["over_families"]
        print(
            f"  log loss below that of names only by {gain['mean']:.3f} ({low:.3f} to {high:.3f})"
        )
        for field, one in conditions["all signals"]["values"].items():
            print(f"  {field}: {one['right']} of {one['n']} named, {one['unknown']} unknown")


def _print_errors(rows: list[Row], tokens: dict[str, Any]) -> None:
    for hidden in ((), FILES_ONLY):
        print("\nhidden:", ", ".join(hidden) or "nothing")
        for answer in sorted(answers(rows, tokens, hidden), key=lambda a: -a.loss):
            if answer.right or not answer.heard:
                continue
            print(f"  {answer.base:.2f} {answer.row['label']['stage']:<6}{answer.row['id']}")
            for item in gather(reading_of(answer.row, tokens), hidden).sold_as:
                print(f"        {item.signal}: {item.says} {item.weight:+.1f} {item.found}")


def _print_weights(rows: list[Row], tokens: dict[str, Any]) -> None:
    """The log ratio of how often each kind of evidence is found in bases and in tuned ones."""
    seen: dict[tuple[str, str, float], dict[str, int]] = {}
    totals = {"base": 0, "tuned": 0}
    for row in rows:
        stage = row["label"]["stage"]
        totals[stage] += 1
        unread = () if "template" in row else ("template",)
        for signal, says, weight in {
            (item.signal, item.says, round(item.weight, 1))
            for item in gather(reading_of(row, tokens), unread).sold_as
        }:
            counts = seen.setdefault((signal, says, weight), {"base": 0, "tuned": 0})
            counts[stage] += 1
    for (signal, says, weight), counts in sorted(seen.items()):
        shares = {stage: (counts[stage] + 0.5) / (totals[stage] + 1) for stage in totals}
        ratio = math.log(shares["base"] / shares["tuned"])
        print(
            f"{signal:<18}{says:<9}{weight:+.1f}  found {ratio:+.1f}  "
            f"(base {counts['base']}, tuned {counts['tuned']})"
        )


if __name__ == "__main__":
    main()
