"""What a user should know of a file beside its broken rows."""

from collections import Counter
from collections.abc import Iterator

from forkpoint.data.bad_row import shown
from forkpoint.data.checks import masked
from forkpoint.data.container import Container
from forkpoint.data.profile_record import Format
from forkpoint.data.row import Row
from forkpoint.facts.checkpoint_facts import Notice


def encoding_notices(found: list[Container]) -> Iterator[Notice]:
    """A file in another encoding than UTF-8."""
    for container in found:
        codec = container.encoding.codec
        if codec not in ("utf-8", "utf-8-sig"):
            yield Notice(
                code="encoding", level="warning", key="data.notice_encoding",
                values={"file": str(container.path), "encoding": codec.upper()},
            )  # fmt: skip


def mixed_notice(seen: "Counter[Format]") -> Iterator[Notice]:
    """Rows in several formats."""
    if len(seen) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in seen.most_common())
        yield Notice(
            code="mixed-formats", level="warning", key="data.notice_mixed",
            values={"counts": counts},
        )  # fmt: skip


class Ids:
    """Rows of different content that carry the same `id` field."""

    def __init__(self) -> None:
        self.first: dict[str, tuple[int, int]] = {}  # id field -> hash of the content, line
        self.clashes = 0
        self.example: Notice | None = None

    def add(self, row: Row) -> None:
        """Take note of a row's id field, if it has one."""
        name = row.extra.get("id")
        if name is None:
            return
        content = hash((row.turns, row.rejected, row.text, row.tools))
        known, line = self.first.setdefault(name, (content, row.line))
        if known != content:
            self.clashes += 1
            self.example = self.example or Notice(
                code="duplicate-ids", level="warning", key="data.notice_ids",
                values={"count": 0, "id": masked(shown(name)), "line": line, "other": row.line,
                        "file": row.file},
            )  # fmt: skip

    def notices(self) -> Iterator[Notice]:
        """What was found, with the first example."""
        if self.example:
            values = {**self.example.values, "count": self.clashes}
            yield self.example.model_copy(update={"values": values})
