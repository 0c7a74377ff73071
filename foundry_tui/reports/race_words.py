"""Variants of one model against each other, in words: what acceleration brings, and what it costs.

Everything in it is harmless.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.bench import Run
from foundry_tui.domain.quantities import UNKNOWN, bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.acceleration import Acceleration, Evidence, Worked, acceleration
from foundry_tui.metrics.comparison import Comparison, Verdict, compared
from foundry_tui.metrics.measures import Measure
from foundry_tui.reports.run_costs import ModelCosts, model_costs
from foundry_tui.reports.run_results import ModelResult

__all__ = ["race_lines"]

_CPU = "cpu"
_NAME_CHARACTERS = 80
_ONE_PROCESS = " (by their loads in one process, of which the first bears what is taken once)"
"""Measured: of one folder under two names the load that came second took 46 MiB less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Runner:
    """One variant; ``label`` is what it is called here."""

    costs: ModelCosts
    found: Acceleration
    label: str

    @property
    def result(self) -> ModelResult:
        return self.costs.result

    @property
    def variant_id(self) -> str:
        return clean_line(self.result.model.model_id or self.result.name, _NAME_CHARACTERS)


def race_lines(run: Run, results: Sequence[ModelResult]) -> list[str]:
    """A line for each variant of an alias against the one for the processor, or else the first of the plan.

    No line where no two variants of one alias were measured.  A variant is called by the device that it is
    built for only where that was seen to work; else by its name, and a line says what shows it.  Draws
    thousands of samples for each line: for a thread, and not while somebody waits.
    """
    families: dict[str, list[ModelCosts]] = {}
    for costs in model_costs(run, results):
        alias = dict(costs.result.model.facts).get("alias")
        if alias:
            families.setdefault(alias, []).append(costs)
    lines: list[str] = []
    for alias, family in families.items():
        if len({costs.result.model.variant for costs in family}) > 1:
            lines += _family_lines(clean_line(alias, _NAME_CHARACTERS), _runners(family))
    return lines


def _runners(family: Sequence[ModelCosts]) -> list[_Runner]:
    found = [acceleration(costs.result.model, costs.result.requests) for costs in family]
    devices = Counter(one.device for one in found)
    runners = []
    for costs, one in zip(family, found, strict=True):
        name = clean_line(costs.result.model.model_id or costs.result.name, _NAME_CHARACTERS)
        label = name if one.device is None or devices[one.device] > 1 else clean_line(one.device.upper(), 20)
        if one.worked is not Worked.YES:
            label = f"{name} on the processor" if one.worked is Worked.NO else name
        runners.append(_Runner(costs=costs, found=one, label=label))
    return runners


def _family_lines(alias: str, runners: Sequence[_Runner]) -> list[str]:
    base = next((one for one in runners if one.found.device == _CPU), runners[0])
    lines = [f"{alias}: {_pair_words(base, one)}" for one in runners if one is not base]
    for one in runners:
        if (words := _doubt_words(one)) is not None:
            lines.append(f"{alias}: {words}")
    return lines


def _pair_words(base: _Runner, one: _Runner) -> str:
    for runner in (base, one):
        if not runner.result.summary.rounds_ok:
            why = runner.result.status.words
            reason = f": {clean_line(runner.result.reason, 200)}" if runner.result.reason else ""
            return f"{one.label} cannot be held against {base.label}: {runner.label} {why}{reason}"
    rates, firsts = (
        compared(base.result.requests, one.result.requests, measure=measure)
        for measure in (Measure.DECODE_RATE, Measure.TTFT)
    )
    speed = _ratio_words(rates)
    first = _ratio_words(firsts)
    parts = [
        f"{one.label} decodes {speed} as fast as {base.label}"
        if rates.ratio is not None
        else f"{one.label} against {base.label}: decode rate {speed}",
        f"first token after {first} the time" if firsts.ratio is not None else f"first token {first}",
        _memory_words(base, one),
        _energy_words(base, one),
    ]
    return ", ".join(parts)


def _ratio_words(found: Comparison) -> str:
    """``3.1x [2.8, 3.4]``, and what keeps it from being more than a number."""
    if found.ratio is None:
        return f"{UNKNOWN} (no prompt and round has it of both)"
    words = f"{'~' if found.is_estimate else ''}{_times(found.ratio)}x"
    if found.interval is not None:
        words += f" [{_times(found.interval.low)}, {_times(found.interval.high)}]"
    if found.verdict is Verdict.TOO_FEW:
        words += f" (too few to tell: {found.pairs} pair{'s' * (found.pairs != 1)})"
    elif found.verdict is Verdict.NO_DIFFERENCE_SHOWN:
        words += " (no difference shown)"
    return words


def _times(ratio: float) -> str:
    """Two significant digits, three where that is needed to leave 1."""
    if ratio >= 99.5:
        return f"{ratio:.0f}"
    return f"{ratio:.1f}" if ratio >= 1.95 else f"{ratio:.2f}"


def _memory_words(base: _Runner, one: _Runner) -> str:
    """``takes 921 MiB more memory (RAM -512 MiB, GPU +1.40 GiB)``, by what the loads took."""
    rams = [_ram_bytes(each) for each in (base, one)]
    boards = [_board_bytes(each) for each in (base, one)]
    for each, ram in zip((base, one), rams, strict=True):
        if ram is None:
            why = "was in memory before the run" if each.result.load_s is None else "its load was not read"
            return f"memory {UNKNOWN} ({each.label}: {why})"
    ram_more = (rams[1] or 0) - (rams[0] or 0)
    board_more = None if None in boards else (boards[1] or 0) - (boards[0] or 0)
    if board_more is None:
        words = f"takes {_more(ram_more)} RAM, GPU memory {UNKNOWN} (not read)"
    elif any(boards):
        both = f"RAM {bytes_in_words(ram_more, sign=True)}, GPU {bytes_in_words(board_more, sign=True)}"
        words = f"takes {_more(ram_more + board_more)} memory ({both})"
    else:
        words = f"takes {_more(ram_more)} memory"
    return words + _ONE_PROCESS


def _ram_bytes(one: _Runner) -> int | None:
    """What the load took of the process; None where that was not read."""
    return _grown(one.result.model.rss_before_bytes, one.result.model.rss_loaded_bytes)


def _board_bytes(one: _Runner) -> int | None:
    """What the load took of GPU memory; nothing where it is built for the processor and nobody read it."""
    model = one.result.model
    grown = _grown(model.vram_before_bytes, model.vram_loaded_bytes)
    return 0 if grown is None and one.found.device == _CPU else grown


def _grown(before: int | None, loaded: int | None) -> int | None:
    return None if before is None or loaded is None else loaded - before


def _more(count: int) -> str:
    return f"{bytes_in_words(abs(count))} {'less' if count < 0 else 'more'}"


def _energy_words(base: _Runner, one: _Runner) -> str:
    """``0.60x the energy for a token``, of all scopes that were read of both."""
    scopes = [{ledger.scope: ledger for ledger in each.costs.energy} for each in (base, one)]
    for each, known in zip((base, one), scopes, strict=True):
        if not known:
            why = each.costs.no_energy
            return f"energy {UNKNOWN} ({clean_line(why, 120) if why else 'no sensor was read'})"
    if scopes[0].keys() != scopes[1].keys():
        return f"energy {UNKNOWN} (not the same was read of both)"
    nets = [[ledger.net_j_per_token for ledger in known.values()] for known in scopes]
    gross = [[ledger.gross_j_per_token for ledger in known.values()] for known in scopes]
    for kind, values in (("", nets), (" (gross: the idle power was not read)", gross)):
        totals = [_sum(own) for own in values]
        if totals[0] and totals[1] is not None:
            return f"{_times(totals[1] / totals[0])}x the energy for a token{kind}"
    return f"energy {UNKNOWN} (no answer with both energy and a reported number of tokens)"


def _sum(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _doubt_words(one: _Runner) -> str | None:
    """What shows that a variant did not run on what it is built for, or that nobody knows; None if it did."""
    found = one.found
    device = "" if found.device is None else clean_line(found.device.upper(), 20)
    if found.worked is Worked.YES or not device or not one.result.summary.rounds_ok:
        return None
    if found.worked is Worked.UNKNOWN:
        return (
            f"whether the {device} worked for {one.variant_id} is not known: nothing that was read shows it"
        )
    match found.evidence:
        case Evidence.PROVIDER:
            why = "the configuration that was loaded names CPUExecutionProvider alone"
        case Evidence.MEMORY:
            why = (
                f"GPU memory grew by {bytes_in_words(found.grown_bytes)} only, its weights are"
                f" {bytes_in_words(found.weights_bytes)}"
            )
        case _:
            why = "the GPUs drew no more than idle"
    return f"{one.variant_id} is built for the {device}, but no {device} worked for it: {why}"
