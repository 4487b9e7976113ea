"""General rows for replay: `python -m recipes.pocket.replay` writes the package's replay.jsonl.

Conversations as the SFT stage drew them, from a seed of their own, none of which asks what the
general-ability set asks.
"""

import json
from itertools import islice

from forkpoint.pocket import general_set_path, replay_rows_path
from recipes.pocket import talk

SEED = 90_400
ROWS = 800  # as many as the bundled demo sets have training rows, and some to spare
DRAWN = 5_000


def asked() -> set[str]:
    """The last message of every question of the general-ability set."""
    lines = general_set_path().read_text("utf-8").splitlines()
    return {json.loads(line)["messages"][-1]["content"] for line in lines}


def rows() -> list[dict[str, object]]:
    """The rows, in the order they were drawn, each prompt once."""
    kept: dict[str, dict[str, object]] = {}
    taken = asked()
    for drawn in islice(talk.instruct_talks(SEED), DRAWN):
        messages = [{"role": role, "content": text} for role, text in drawn.turns]
        if messages[-1]["content"] in taken:
            continue
        answer = {"role": "assistant", "content": drawn.answer}
        kept.setdefault(json.dumps(messages, ensure_ascii=False), {"messages": [*messages, answer]})
    return list(kept.values())[:ROWS]


def main() -> None:
    """Write the file; always the same bytes."""
    lines = [json.dumps(row, ensure_ascii=False) for row in rows()]
    replay_rows_path().write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
