"""The five public guides whose claims the rules rest on."""

from forkpoint.record import Record


class Guide(Record):
    """One guide: its key, its language, and where it can be read if an address is known."""

    key: str
    language: str
    address: str | None
    read: str  # when its claims were written down, year-month
    classes: int  # how many stages it tells apart when it says which to choose (claim A10)

    @property
    def title(self) -> str:
        """The catalogue key of its title."""
        return f"sources.guide_{self.key}"


GUIDES = (
    Guide(key="table-guide", language="zh", address=None, read="2026-11", classes=2),
    Guide(key="qa-guide", language="zh", address=None, read="2026-11", classes=2),
    Guide(key="sft-notes", language="zh", address=None, read="2026-11", classes=3),
    Guide(
        key="unsloth-guide",
        language="zh",
        address="https://unsloth.ai/docs/get-started/fine-tuning-llms-guide/what-model-should-i-use",
        read="2026-11",
        classes=2,
    ),
    Guide(
        key="algieba-blog",
        language="zh",
        address="https://developer.aliyun.com/article/1711627",
        read="2026-11",
        classes=2,
    ),
)


def guide(key: str) -> Guide:
    """The guide with this key; raises KeyError when there is none."""
    for one in GUIDES:
        if one.key == key:
            return one
    raise KeyError(key)
