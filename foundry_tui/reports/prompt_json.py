"""A prompt of a plan in the results format: what is asked, and by what the answers are judged."""

from foundry_tui.domain.bench import PlannedPrompt
from foundry_tui.domain.check_form import check_from, check_object
from foundry_tui.domain.checks import Check
from foundry_tui.reports.json_reading import JsonNode

__all__ = ["prompt_object", "prompt_of"]


def prompt_object(prompt: PlannedPrompt) -> dict[str, object]:
    """``prompt`` as an entry of ``prompt_set``."""
    return {
        "id": prompt.id,
        "text": prompt.text,
        "system": prompt.system,
        "aspects": list(prompt.aspects),
        "checks": [check_object(check) for check in prompt.checks],
    }


def prompt_of(node: JsonNode) -> PlannedPrompt:
    """The prompt that stands there; one of a version without them has neither aspects nor checks.

    Raises:
        BadInput: It is none, or has a check that is unknown here.
        ValueError: It has no text.
    """
    known = node.value if isinstance(node.value, dict) else {}
    return PlannedPrompt(
        id=node.field("id").text(),
        text=node.field("text").text(),
        system=node.field("system").text_or_none(),
        aspects=tuple(aspect.text() for aspect in node.field("aspects").items())
        if "aspects" in known
        else (),
        checks=tuple(_check(check) for check in node.field("checks").items()) if "checks" in known else (),
    )


def _check(node: JsonNode) -> Check:
    if not isinstance(node.value, dict):
        raise node.problem("an object")
    try:
        return check_from(node.value)
    except ValueError as error:
        raise node.problem(str(error)) from error
