"""What an untuned checkpoint answers to general prompts, in its child process."""

from pathlib import Path
from typing import Any

from forkpoint.models.generation import generate
from forkpoint.models.rendering import Rendered, Renderer, choose_renderings
from forkpoint.models.weights import load_model, load_tokenizer
from forkpoint.race.replay import FOLDER
from forkpoint.race.rows_file import read_rows
from forkpoint.race.work import ReplayWork

LENGTH_SLACK = 1.5  # limit of an answer over the longest given one


def run_replay(folder: Path, work: ReplayWork) -> dict[str, Any]:
    """Row id -> answer, for every row that the checkpoint answered and stopped by itself."""
    path = str(work.facts.path)
    tokenizer = load_tokenizer(path)
    renderer = Renderer(tokenizer, choose_renderings(work.facts)[0], work.system_prompt)
    rows = read_rows(folder / FOLDER)
    rendered: dict[str, Rendered] = {}
    for key in work.row_ids:
        found = renderer.row(rows[key])
        if isinstance(found, Rendered):
            rendered[key] = found
    if not rendered:
        return {"answers": {}}
    model = load_model(path, dtype=work.dtype, device=work.device)  # type: ignore[arg-type]
    limit = round(LENGTH_SLACK * max(len(row.answer_ids) for row in rendered.values()))
    prompts = [list(row.prompt_ids) for row in rendered.values()]
    answers = generate(model, tokenizer, prompts, renderer.end_ids, limit)
    said = {
        key: answer.text.removeprefix(row.lead)
        for (key, row), answer in zip(rendered.items(), answers, strict=True)
        if answer.stopped
    }
    return {"answers": {key: text for key, text in said.items() if text.strip()}}
