"""Text files that go with a prompt: how they are joined to it."""

import re
from collections.abc import Sequence

from foundry_tui.domain.text import clean_line
from foundry_tui.services.files import TextFile

__all__ = ["with_attachments"]

_FENCES = re.compile(r"^\s*(`{3,})", re.MULTILINE)


def with_attachments(prompt: str, files: Sequence[TextFile]) -> str:
    """``prompt`` and below it each file under its name, in a fence that nothing in the file can end."""
    parts = [prompt]
    for file in files:
        longest = max((len(fence) for fence in _FENCES.findall(file.text)), default=2)
        fence = "`" * (longest + 1)
        text = file.text if file.text.endswith("\n") else f"{file.text}\n"
        parts.append(f"File: {clean_line(file.name)}\n{fence}\n{text}{fence}")
    return "\n\n".join(parts)
