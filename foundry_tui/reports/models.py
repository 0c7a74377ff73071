"""Everything known of a model, what its load cost, and several models fact by fact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from foundry_tui.domain.models import CatalogKind, LoadReport, ModelVariant
from foundry_tui.domain.quantities import bytes_in_words, count_in_words, seconds_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.facts import Fact, quoted

__all__ = [
    "JOBS",
    "Compared",
    "ModelState",
    "comparison",
    "load_cost",
    "load_words",
    "model_facts",
    "model_state",
]

JOBS: Mapping[str, str] = {
    "load": "loading",
    "unload": "unloading",
    "refresh": "asking the catalog",
    "remove": "removing",
    "providers": "registering providers",
    "fetch": "downloading",
}
"""What is being done, by the kind of the job."""
_NAME_CHARACTERS = 120
_CATALOGS = {
    CatalogKind.PUBLIC: "the public catalog",
    CatalogKind.LOCAL: "a folder of yours",
    CatalogKind.ENDPOINT: "told by the endpoint",
}
# In the order in which one asks.
_COMPARED = (
    *("Device", "Download size", "On disk", "Context", "Longest answer", "Licence", "Quantization"),
    *("Execution provider", "Task", "Can", "Publisher", "From", "State", "Cannot run here", "Last load"),
    *("Runs on", "Problem"),
)
_SHORT_LABELS = {"Download size": "Size", "Execution provider": "Provider"}


class ModelState(StrEnum):
    """Where a model is."""

    PROBLEM = "problem"
    LOADED = "loaded"
    ON_DISK = "on disk"
    ELSEWHERE = "not on this machine"


def model_state(model: ModelVariant) -> ModelState | None:
    """Where the model is; None if the engine cannot tell."""
    if model.problem is not None:
        return ModelState.PROBLEM
    if model.is_loaded:
        return ModelState.LOADED
    if model.is_cached is None:
        return None
    return ModelState.ON_DISK if model.is_cached else ModelState.ELSEWHERE


def load_cost(report: LoadReport) -> str | None:
    """Time and memory of a load; None if it was loaded already."""
    if report.was_loaded:
        return None
    time = seconds_in_words(report.load_ns / 1e9)
    before, after = report.rss_before_bytes, report.rss_after_bytes
    if before is None or after is None:
        return time
    return f"{time}, memory {bytes_in_words(after - before, sign=True)} to {bytes_in_words(after)}"


def load_words(report: LoadReport) -> str:
    """What was loaded, and what that cost."""
    name, cost = clean_line(report.model_id, _NAME_CHARACTERS), load_cost(report)
    return f"{name} was loaded already" if cost is None else f"{name} loaded in {cost}"


def model_facts(model: ModelVariant, report: LoadReport | None, *, state: str | None) -> tuple[Fact, ...]:
    """Everything known of one model; a problem, a load and a licence's text only where there is one.

    Args:
        model: What it is about.
        report: Of its last load, if it was loaded.
        state: Where it is, in the words of the front end, which may know of a job under way.
    """
    facts = [
        quoted("Id", model.id),
        quoted("Name", model.display_name),
        quoted("Alias", model.alias),
        Fact("From", _CATALOGS[model.catalog]),
        quoted("Publisher", model.publisher),
        quoted("Task", model.task),
        Fact("Device", model.device),
        quoted("Execution provider", model.execution_provider),
        quoted("Quantization", model.quantization),
        Fact("Context", _context(model)),
        Fact("Longest answer", _tokens(model.max_output_tokens)),
        quoted("Can", ", ".join(model.capabilities)),
        Fact("Download size", _bytes(model.size_bytes)),
        Fact("On disk", _bytes(model.disk_bytes)),
        quoted("Folder", model.path),
        Fact("State", state),
    ]
    if model.unavailable is not None:
        facts.append(quoted("Cannot run here", model.unavailable))
    if model.problem is not None:
        facts.append(quoted("Problem", model.problem))
    if report is not None:
        facts.append(Fact("Last load", load_cost(report)))
        facts.append(Fact("Runs on", _runs_on(report)))
    facts.append(quoted("Licence", model.license))
    if model.license_text:
        facts.append(quoted("Licence text", model.license_text))
    return tuple(facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One fact about several models.

    Attributes:
        facts: In the order of the models; "none" where a model has no such thing.
    """

    label: str
    facts: tuple[Fact, ...]

    @property
    def differs(self) -> bool:
        """Whether they are not all the same."""
        return len({fact.value for fact in self.facts}) > 1


def comparison(models: Sequence[Sequence[Fact]]) -> list[Compared]:
    """The facts of each of several models side by side, as far as one of them has such a thing."""
    known = [{fact.label: fact for fact in facts} for facts in models]
    return [
        Compared(
            label=_SHORT_LABELS.get(label, label),
            facts=tuple(facts.get(label, Fact(label, "none")) for facts in known),
        )
        for label in _COMPARED
        if any(label in facts for facts in known)
    ]


def _context(model: ModelVariant) -> str | None:
    words = _tokens(model.context_tokens)
    if words is None or model.advertised_context_tokens in (None, model.context_tokens):
        return words
    return f"{words} (the catalog says {count_in_words(model.advertised_context_tokens)})"


def _runs_on(report: LoadReport) -> str | None:
    """Device and execution providers, and whether that was configured or only declared."""
    if not report.execution_providers:
        return None
    names = ", ".join(clean_line(name, _NAME_CHARACTERS) for name in report.execution_providers)
    device = "" if report.device is None else f"{report.device}, "
    evidence = "" if report.provider_evidence is None else f" ({report.provider_evidence})"
    return f"{device}{names}{evidence}"


def _tokens(count: int | None) -> str | None:
    return None if count is None else f"{count_in_words(count)} tokens"


def _bytes(count: int | None) -> str | None:
    return None if count is None else bytes_in_words(count)
