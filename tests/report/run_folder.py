"""Builds run folders from the records with seeded scores, so that the report has something to show.

Only tests use it. The scores are drawn, not measured; their sizes follow races of small models.
"""

import hashlib
import json
import random
from collections.abc import Callable
from pathlib import Path

import race_lines
from race_records import ARMS, PREFERENCE, RUNGS, agreement, capability, checkpoint_of
from race_verdict import verdict

from forkpoint.ledger import Book

LABELS = ("billing", "delivery", "refund", "account", "other")
ASKS = {
    "billing": ("I was charged twice for order {n}.", "订单 {n} 扣了两次款。"),
    "delivery": ("Parcel {n} has not arrived yet, where is it?", "包裹 {n} 还没到，在哪里？"),
    "refund": ("Please give me my money back for order {n}.", "请把订单 {n} 的钱退给我。"),
    "account": ("I cannot log in, my number is {n}.", "我登录不了，我的编号是 {n}。"),
    "other": ("Do you also sell size {n}?", "你们有 {n} 号的吗？"),
}

Hostile = Callable[[str], str]


def make_rows(count: int, rng: random.Random, spoil: Hostile) -> list[dict[str, object]]:
    """Rows of a support-ticket task whose answers are labels, in English and Chinese."""
    rows: list[dict[str, object]] = []
    for line in range(1, count + 1):
        label = rng.choices(LABELS, weights=(5, 4, 3, 2, 1))[0]
        ask = spoil(rng.choice(ASKS[label]).format(n=rng.randrange(1000, 9999)))
        digest = hashlib.sha256(f"{line} {ask}".encode()).hexdigest()[:16]
        turns = [
            {
                "role": "system",
                "content": "Sort the message: billing, delivery, refund, account, other.",
            },
            {"role": "user", "content": ask},
            {"role": "assistant", "content": label},
        ]
        rows.append(
            {
                "id": digest,
                "file": "tickets.jsonl",
                "line": line,
                "turns": turns,
                "rejected": None,
                "text": None,
                "tools": None,
                "extra": {},
            }
        )
    return rows


def answers_of(
    arm: str,
    rows: list[dict[str, object]],
    level: float,
    split: str,
    spoil: Hostile,
    trial: dict[str, object] | None,
) -> list[dict[str, object]]:
    """One answer a row; wrong ones are another label, an endless run, or nothing."""
    rng = random.Random(f"{arm} {split}")
    made = []
    for row in rows:
        gold = row["turns"][-1]["content"]  # type: ignore[index]
        right = rng.random() < level
        text, stopped = gold, True
        if not right:
            way = rng.random()
            if way < 0.55:
                text = rng.choice([label for label in LABELS if label != gold])
            elif way < 0.9:
                text, stopped = (f"{gold} is the label. The customer says that " * 12)[:400], False
            else:
                text = ""
        made.append(
            {
                "row_id": row["id"],
                "split": split,
                "trial": trial,
                "text": spoil(text),
                "stopped": stopped,
                "tokens": len(text) // 4 + 1,
                "score": float(right),
                "gold": spoil(gold),
                "answer_bits": rng.uniform(1, 30),
                "answer_bytes": len(gold.encode()),
                "stop_bits": rng.uniform(0, 3),
                "seconds": 0.02,
            }
        )
    return made


def masks(rows: list[dict[str, object]], spoil: Hostile) -> dict[str, list[dict[str, object]]]:
    """Decoded masks of two rows for every arm."""
    found: dict[str, list[dict[str, object]]] = {}
    for arm in ARMS:
        chat = not checkpoint_of(arm).endswith("base")
        found[arm] = []
        for row in rows[:2]:
            system, user, answer = (turn["content"] for turn in row["turns"])  # type: ignore[union-attr]
            if chat:
                before = (
                    f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\n{user}"
                    "<|im_end|>\n<|im_start|>assistant\n"
                )
                pieces = [(before, False), (f"{answer}<|im_end|>", True), ("\n", False)]
            else:
                pieces = [
                    (f"{system}\n\n{user}\n\nAnswer:", False),
                    (f" {answer}<|endoftext|>", True),
                ]
            found[arm].append(
                {
                    "row_id": row["id"],
                    "pieces": [
                        {"text": spoil(text), "trained": trained} for text, trained in pieces
                    ],
                }
            )
    return found


def write_jsonl(path: Path, items: list[dict[str, object]]) -> None:
    """One JSON object a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(item) + "\n" for item in items), encoding="utf-8")


def build_run(
    folder: Path, *, finished: bool = True, rows: int = 360, seed: int = 7, spoil: Hostile = str
) -> Path:
    """Write a run folder; `spoil` is applied to everything that comes from outside.

    An unfinished folder ends in the middle of the second rung, with one trial under way.
    """
    rng = random.Random(seed)
    made = make_rows(rows, rng, spoil)
    ids = [str(row["id"]) for row in made]
    cut, end = int(rows * 0.6), int(rows * 0.8)
    agreed = agreement((tuple(ids[:cut]), tuple(ids[cut:end]), tuple(ids[end:])), spoil)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "race.json").write_text(agreed.to_json(indent=2), encoding="utf-8")
    write_jsonl(folder / "rows.jsonl", made)
    (folder / "masks.json").write_text(json.dumps(masks(made, spoil)), encoding="utf-8")
    by_id = {row["id"]: row for row in made}
    validation = [by_id[row] for row in agreed.rung_validation_ids]
    with Book(folder) as book:
        for line in race_lines.racing(agreed, spoil, finished):
            book.append(line)
            if line.kind == "trial_scored":
                level = capability(line.trial.arm, RUNGS[line.trial.rung - 1])
                write_jsonl(
                    folder / line.answers,
                    answers_of(
                        line.trial.arm,
                        validation,
                        level,
                        "validation",
                        spoil,
                        line.trial.model_dump(),
                    ),
                )
        if not finished:
            return folder
        test = [by_id[row] for row in agreed.test_ids]
        for subject in (*race_lines.FINALISTS, *(f"{name}.untrained" for name in PREFERENCE)):
            level = capability(subject, RUNGS[-1])
            write_jsonl(
                folder / f"answers/{subject}.test.jsonl",
                answers_of(subject, test, level, "test", spoil, None),
            )
        for line in race_lines.closing(agreed):
            book.append(line)
        answer = verdict(agreed, spoil).to_json(indent=2).encode()
        (folder / "verdict.json").write_bytes(answer)
        book.append(race_lines.end(hashlib.sha256(answer).hexdigest()))
    return folder
