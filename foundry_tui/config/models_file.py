"""``models.json``: what the user notes about models, by alias."""

from pathlib import Path

from foundry_tui.config.documents import read_json
from foundry_tui.config.values import ModelEntry

__all__ = ["load_models"]


def load_models(path: Path) -> tuple[ModelEntry, ...]:
    """Read ``{"models": {alias: entry}}``, or the workshop's bare ``{alias: entry}``, in the file's order.

    Raises:
        BadInput: The file cannot be read or is not of that form.
    """
    document = read_json(path)

    # Late, and after the file has parsed: pydantic is slow to import.
    from pydantic import ValidationError

    from foundry_tui.config.problems import shape_problem
    from foundry_tui.config.shapes import BareModels, ModelsFile

    content = document.content
    shape = BareModels if isinstance(content, dict) and "models" not in content else ModelsFile
    try:
        checked = shape.model_validate(content)
    except ValidationError as error:
        raise shape_problem(document, shape, error, "models") from error
    models = checked.models if isinstance(checked, ModelsFile) else checked.root
    return tuple(
        ModelEntry(
            alias=alias,
            capabilities=tuple(model.capabilities),
            size_mb=model.size_mb,
            priority=model.priority,
        )
        for alias, model in models.items()
    )
