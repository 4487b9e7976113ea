"""The kind of real checkpoints (text, code, vision, embedding, reward, thinking).

    python benchmarks/kinds.py [--errors] [--json]

Rows: those of tests/facts/checkpoints/kinds.json and the ones with a kind in files.json, split by
family as in benchmarks/stages.py. `--errors` shows what was said wrongly or not at all in the
tuning part, and only there. Named: the value with one half of the chance is the label's; unknown:
none has one half; wrong: another one has. Intervals are 95 % (Wilson).
"""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stages import FILE, FILES_ONLY, NAME_ONLY, Row, held_out, read_rows, reading_of, wilson

from forkpoint.facts.checkpoint_facts import Judgement
from forkpoint.facts.judgement import gather, judge

KINDS_FILE = FILE.with_name("kinds.json")
KINDS = ("text", "code", "vision", "embedding", "reward", "thinking")
CONDITIONS = {"all signals": (), "names only": NAME_ONLY, "name and card hidden": FILES_ONLY}


@dataclass(frozen=True)
class Named:
    """What was said of the kind of one row."""

    row: Row
    judged: Judgement
    heard: bool  # whether any evidence was left

    @property
    def label(self) -> str:
        """The kind that was read."""
        return str(self.row["label"]["kind"])

    @property
    def outcome(self) -> str:
        """named, unknown or wrong."""
        if self.judged.value == "unknown":
            return "unknown"
        return "named" if self.judged.value == self.label else "wrong"


def read_kinds(path: Path = KINDS_FILE) -> tuple[list[Row], dict[str, Any]]:
    """All rows with a kind, and the token lists that some point to."""
    first, tokens = read_rows()
    more: list[Row] = json.loads(path.read_text(encoding="utf-8"))["rows"]
    return [row for row in first if "kind" in row["label"]] + more, tokens


def named(rows: Iterable[Row], tokens: dict[str, Any], hidden: Iterable[str] = ()) -> list[Named]:
    """The judgement of each row's kind with some groups of signals hidden."""
    given = []
    for row in rows:
        reading = reading_of(row, tokens)
        unread = () if "template" in row else ("template",)
        left_out = (*hidden, *unread)
        heard = any(item.found for item in gather(reading, left_out).kind)
        given.append(Named(row, judge(reading, left_out)[2], heard))
    return given


def counted(given: list[Named]) -> dict[str, Any]:
    """How many were named, wrong and unknown, whole and by kind."""
    outcomes = [one.outcome for one in given]
    right = outcomes.count("named")
    return {
        "n": len(given),
        "named": right,
        "wrong": outcomes.count("wrong"),
        "unknown": outcomes.count("unknown"),
        "wilson": wilson(right, len(given)) if given else None,
        "families": len({one.row["family"] for one in given}),
    }


def study(rows: list[Row], tokens: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each part under each condition, by kind."""
    parts = {
        "tuning": [row for row in rows if not held_out(row)],
        "held-out": [row for row in rows if held_out(row)],
        "all": rows,
    }
    found: dict[str, dict[str, Any]] = {}
    for part, members in parts.items():
        found[part] = {}
        for condition, hidden in CONDITIONS.items():
            given = named(members, tokens, hidden)
            found[part][condition] = counted(given) | {
                "nothing to go by": sum(not one.heard for one in given),
                "by kind": {
                    kind: counted([one for one in given if one.label == kind]) for kind in KINDS
                },
            }
    return found


def table(found: dict[str, dict[str, Any]]) -> list[str]:
    """The study's table, a line for each part and condition (docs/studies/stages.md)."""
    lines = [f"| part | seen | n | named | wrong | unknown | {' | '.join(KINDS)} |"]
    lines.append("|---" * (6 + len(KINDS)) + "|")
    for part, conditions in found.items():
        for condition, one in conditions.items():
            low, high = one["wilson"]
            kinds = " | ".join(
                f"{one['by kind'][kind]['named']}/{one['by kind'][kind]['n']}" for kind in KINDS
            )
            lines.append(
                f"| {part} | {condition} | {one['n']} | {one['named']} "
                f"({low:.0%} to {high:.0%}) | {one['wrong']} | {one['unknown']} | {kinds} |"
            )
    return lines


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--errors", action="store_true", help="of the tuning part")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows, tokens = read_kinds()
    if options.errors:
        _print_errors([row for row in rows if not held_out(row)], tokens)
        return
    found = study(rows, tokens)
    if options.json:
        json.dump(found, sys.stdout, indent=1)
        return
    print("\n".join(table(found)))


def _print_errors(rows: list[Row], tokens: dict[str, Any]) -> None:
    for condition, hidden in CONDITIONS.items():
        print(f"\n{condition}")
        for one in named(rows, tokens, hidden):
            if one.outcome == "named" or not one.heard:
                continue
            clues = ", ".join(
                f"{item.says} {item.weight:+.1f} {item.found}" for item in one.judged.evidence
            )
            print(
                f"  {one.label:<10}{one.judged.value:<10}{one.judged.probability:.2f} "
                f"{one.row['id']}: {clues}"
            )


if __name__ == "__main__":
    main()
