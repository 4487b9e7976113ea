"""What the terminal shows is what was last looked at; `make golden` writes it anew."""

import command_pages
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


@pytest.mark.parametrize("name", command_pages.NAMES.values())
def test_every_command_and_option_is_in_the_docs(name: str) -> None:
    """docs/commands is what the command line says of itself, in both languages."""
    assert (command_pages.FOLDER / name).read_text(encoding="utf-8") == command_pages.pages()[name]


@pytest.mark.parametrize("lang", command_pages.NAMES)
def test_every_option_is_explained(lang: str) -> None:
    """No row of the tables ends in an empty cell."""
    page = command_pages.pages()[command_pages.NAMES[lang]]
    assert not [
        line for line in page.splitlines() if line.startswith("| `") and "|  |" in line[-4:]
    ]
