"""What the terminal shows is what was last looked at; `make golden` writes it anew."""

import pytest
from golden_outputs import FOLDER, outputs

FOUND = dict(outputs())


@pytest.mark.parametrize("name", FOUND)
def test_an_output_is_the_one_that_was_looked_at(name: str) -> None:
    """The whole text, in both languages; a change is reviewed as a difference."""
    assert (FOLDER / name).read_text(encoding="utf-8") == FOUND[name]


def test_no_golden_file_is_left_over() -> None:
    """Every kept output is still made."""
    assert {path.name for path in FOLDER.glob("*.txt")} == set(FOUND)
