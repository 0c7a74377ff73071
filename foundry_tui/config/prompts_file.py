"""``prompts.json``: a set of prompts, in the order they are run."""

import json
from pathlib import Path

from foundry_tui.config.check_entries import checks_at
from foundry_tui.config.documents import Document, file_problem, pointer, read_json
from foundry_tui.config.values import Prompt
from foundry_tui.domain.text import clean_line

__all__ = ["load_prompts"]


def load_prompts(path: Path) -> tuple[Prompt, ...]:
    """Read ``{"prompts": [prompt, …]}``, or a bare list of texts, whose ids are then p1, p2 and so on.

    Raises:
        BadInput: The file cannot be read, is not of that form, gives one id to two prompts, or has a check
            that cannot be made.
    """
    document = read_json(path)

    # Late, and after the file has parsed: pydantic is slow to import.
    from pydantic import ValidationError

    from foundry_tui.config.problems import shape_problem
    from foundry_tui.config.shapes import BarePrompts, PromptsFile

    shape = BarePrompts if isinstance(document.content, list) else PromptsFile
    try:
        checked = shape.model_validate(document.content)
    except ValidationError as error:
        raise shape_problem(document, shape, error, "prompts") from error
    if not isinstance(checked, PromptsFile):
        return tuple(Prompt(id=f"p{number}", text=text) for number, text in enumerate(checked.root, start=1))
    prompts = tuple(
        Prompt(
            id=entry.id,
            text=entry.text,
            system=entry.system,
            aspects=tuple(entry.aspects),
            tags=tuple(entry.tags),
            checks=checks_at(document, entry.checks, "prompts", index, "checks"),
        )
        for index, entry in enumerate(checked.prompts)
    )
    _refuse_repeated_ids(document, prompts)
    return prompts


def _refuse_repeated_ids(document: Document, prompts: tuple[Prompt, ...]) -> None:
    first: dict[str, int] = {}
    for index, prompt in enumerate(prompts):
        if prompt.id in first:
            place, other = pointer("prompts", index, "id"), pointer("prompts", first[prompt.id], "id")
            found = json.dumps(clean_line(prompt.id, 40), ensure_ascii=False)
            problem = f"{place}: expected an id of its own, found {found} as in {other}"
            raise file_problem(document.path, problem, "Give every prompt an id of its own.")
        first[prompt.id] = index
