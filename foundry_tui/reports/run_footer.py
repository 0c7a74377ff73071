"""How well a run was measured, for the foot of its reports: the clock, its delay, and our own error."""

from collections.abc import Sequence

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.quantities import UNKNOWN
from foundry_tui.domain.tariff import is_tariff
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.measures import is_counted

__all__ = [
    "NOT_MEASURED",
    "OWN_ERROR",
    "OWN_ERROR_AT",
    "environment_facts",
    "is_own_error",
    "measuring_notes",
    "own_error_lines",
]

OWN_ERROR = "own_error"
"""How every name in a run's environment begins that tells of our own error when the run began."""
OWN_ERROR_AT = f"{OWN_ERROR}_measured"
"""When and by which version it was measured; other names go on with the condition and the schedule."""
NOT_MEASURED = "own error not measured: foundry-tui selftest does it"


def is_own_error(name: str) -> bool:
    """Whether ``name`` in an environment tells of our own error, and not of what was measured on."""
    return name == OWN_ERROR or name.startswith(f"{OWN_ERROR}_")


def environment_facts(run: Run) -> tuple[tuple[str, str], ...]:
    """The environment without our own error and without prices; as it came, to be cleaned by who shows it."""
    return tuple(
        (name, value) for name, value in run.environment if not is_own_error(name) and not is_tariff(name)
    )


def own_error_lines(run: Run) -> tuple[str, ...]:
    """Our own error as the self-test found it before the run, one harmless line for each thing that is known.

    ``own error, idle, even: TTFT …``; of a run without any, how to measure it.
    """
    told = [(name, value) for name, value in run.environment if is_own_error(name)]
    if not told:
        return (NOT_MEASURED,)
    return tuple(f"{_words(name)}: {clean_line(value)}" for name, value in told)


def measuring_notes(run: Run, requests: Sequence[RequestRun]) -> tuple[tuple[str, str], ...]:
    """What was measured with, as name and value: the clock, the path, the measuring process's own delay."""
    delays = [request.trace.delay_p99_ns for request in standing(requests) if is_counted(request)]
    delay_ns = max((delay for delay in delays if delay is not None), default=None)
    where = "our own runtime" if run.path == "managed" else "a server of somebody else's"
    return (
        ("clock", "perf_counter_ns in a process of its own, read where the bytes arrive, before parsing"),
        ("path", where),
        ("that process's own delay, p99", UNKNOWN if delay_ns is None else f"{delay_ns / 1e6:.2f} ms"),
    )


def _words(name: str) -> str:
    """``own_error_idle_even`` as ``own error, idle, even``."""
    rest = name.removeprefix(OWN_ERROR).strip("_").split("_")
    return clean_line(", ".join(["own error", *(part for part in rest if part)]))
