"""Text from files made such that it can be written again: no half of a surrogate pair."""

from typing import Any


def clean(value: Any) -> Any:
    """The same JSON or YAML value, lone surrogates in its strings and keys replaced."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clean(item) for item in value]
    return value
