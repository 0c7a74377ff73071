"""Servers, addresses and checks of models in words fit to be spoken."""

from foundry_tui.cli.plain_words import remedy_line, sentence, spoken
from foundry_tui.domain.engine import EndpointKind, EngineInfo
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.engine import KIND_NAMES, exposure_words, models_in_words
from foundry_tui.reports.snippets import api_base
from foundry_tui.services.discovery import FoundServer
from foundry_tui.services.validation import ModelValidation, Verdict

__all__ = ["address_lines", "own_line", "server_line", "validation_line"]

_NAME_CHARACTERS = 120
_VERDICTS = {Verdict.PASSED: "yes", Verdict.FAILED: "no", Verdict.NOT_APPLICABLE: "does not apply"}


def own_line(number: int, *, is_used: bool) -> str:
    """The runtime of this app, which is always there."""
    return f"{number}: the managed runtime of this app{', in use' if is_used else ''}."


def server_line(number: int, server: FoundServer, *, is_used: bool) -> str:
    """A server that answered: what it is, what it lists, how it was found."""
    what = KIND_NAMES[server.kind]
    if server.software is not None:
        what += f", {clean_line(server.software, _NAME_CHARACTERS)}"
    parts = [clean_line(server.url, _NAME_CHARACTERS), what]
    if server.wants_key:
        parts.append("wants a key")
    elif server.models is not None:
        parts.append(models_in_words(server.models))
    parts.append(f"found by {clean_line(server.how, _NAME_CHARACTERS)}")
    if is_used:
        parts.append("in use")
    return f"{number}: {', '.join(parts)}."


def address_lines(
    info: EngineInfo, model: ModelVariant | None, port: int | None, key_name: str | None
) -> list[str]:
    """Where other programs reach it, for how long, and what they must know.

    Args:
        info: Of the engine in use.
        model: Decides the address: registered models have one of their own.
        port: The one that the managed service always has; None if it takes a free one.
        key_name: The environment variable with the server's key.
    """
    if info.url is None:
        return ["This engine has no address that others could use."]
    base = api_base(info.url) if model is None else api_base(info.url, model.catalog)
    lines = [f"Address: {clean_line(base, 300)}"]
    if info.kind is not EndpointKind.MANAGED:
        lines.append(f"It is a server of its own: {KIND_NAMES[info.kind]}.")
    elif port is None:
        lines.append("It changes at each start; started with --port 5273 it does not.")
    else:
        lines.append(f"It is there while this runs, always on port {port}.")
    if model is not None:
        state = ", which is not in memory: it answers once it is loaded" if model.is_loaded is False else ""
        lines.append(f"The model is called {clean_line(model.id, _NAME_CHARACTERS)}{state}.")
    if key_name is not None:
        lines.append(f"Its key is in the environment variable {key_name}.")
    if (warning := exposure_words(info.url)) is not None:
        lines.append(sentence(warning))
    return lines


def validation_line(result: ModelValidation) -> str:
    """Whether a model passed, each check, and what to do about one that failed."""
    name = clean_line(result.name, _NAME_CHARACTERS)
    checks = []
    for one in result.results:
        detail = "" if one.detail is None else f" ({spoken(clean_line(one.detail))})"
        checks.append(f"{one.check.value} {_VERDICTS[one.verdict]}{detail}")
    lines = [f"{name} {'passed' if result.is_passed else 'failed'}: {', '.join(checks)}."]
    lines += [
        remedy_line(one.remedy)
        for one in result.results
        if one.verdict is Verdict.FAILED and one.remedy is not None
    ]
    return "\n".join(lines)
