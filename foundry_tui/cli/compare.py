"""``foundry-tui compare``: is B faster than A, and can that be said at all?"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.numbers import percent
from foundry_tui.cli.options import add_common, launch_options
from foundry_tui.cli.output import print_json, print_text, say
from foundry_tui.cli.run_ids import load_with_requests
from foundry_tui.domain.bench import ModelRun, RequestRun, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line
from foundry_tui.launching import resolve
from foundry_tui.metrics.attempts import standing
from foundry_tui.metrics.certificate import Unchanged, answers_unchanged
from foundry_tui.metrics.comparison import Comparison, Verdict, compared
from foundry_tui.metrics.intervals import Interval
from foundry_tui.metrics.measures import Measure
from foundry_tui.reports.comparison_words import MEASURE_WORDS, comparison_sentence, unchanged_sentence
from foundry_tui.reports.run_matching import (
    Across,
    Side,
    difference_words,
    differences,
    likely_factor,
    unknown_fields,
)
from foundry_tui.wiring.archive import open_archive

__all__ = ["COMPARISON_SCHEMA", "add_commands"]

COMPARISON_SCHEMA = "foundry-tui/comparison@1"
_MEASURES = (Measure.LATENCY, Measure.TTFT, Measure.DECODE_RATE, Measure.END_TO_END_RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    """Two models that are compared.

    Attributes:
        slower: Where the share lies by which B is slower; None where it is not known.
        is_shown: Whether it was shown that B is slower at all.
        answers: How many of B's are A's; None of two different models, and where nothing was asked of both.
    """

    a: Side
    b: Side
    results: tuple[Comparison, ...]
    measure: Measure
    slower: Interval | None
    is_shown: bool
    answers: Unchanged | None

    def breaks(self, limit: float) -> bool:
        """Whether B was shown to be slower, by more than ``limit`` percent wherever in the interval."""
        return self.is_shown and self.slower is not None and self.slower.low * 100 > limit


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``compare``."""
    compare = commands.add_parser(
        "compare",
        description="Compare two runs, or two models: pairs of the same prompt and round, with an interval"
        " and an exact test. Whatever differs besides what is compared is refused. Exit code 4 only if the"
        " whole interval breaks --fail-if-slower; what cannot be told is 0, with a warning.",
        epilog="example: foundry-tui compare 3f2a 9c41 --across version --fail-if-slower 10%",
    )
    add_common(compare, top=False)
    compare.add_argument("a", metavar="A", help="RUN, or RUN/MODEL: what is compared with")
    compare.add_argument("b", metavar="B", help="likewise: what is compared")
    compare.add_argument(
        "--across",
        choices=[each.value for each in Across],
        help="what is compared; everything else must match. Default: model if they differ, else run",
    )
    compare.add_argument(
        "--fail-if-slower", metavar="PCT", type=percent, help="such as 10 or 10%%: exit code 4 beyond it"
    )
    compare.add_argument(
        "--measure",
        choices=[measure.value for measure in _MEASURES],
        help="what the limit is on; default: latency_s, of answers of other lengths the decode rate",
    )
    compare.add_argument("--json", action="store_true", help="one JSON object on stdout")
    compare.set_defaults(run=_compare)


async def _compare(arguments: argparse.Namespace) -> int:
    async with open_archive(resolve(launch_options(arguments))) as archive:
        (run_a, name_a), (run_b, name_b) = (_parts(given) for given in (arguments.a, arguments.b))
        a, requests_a = await load_with_requests(archive.runs, run_a)
        b, requests_b = await load_with_requests(archive.runs, run_b)
    across = None if arguments.across is None else Across(arguments.across)
    wanted = None if arguments.measure is None else Measure(arguments.measure)
    pairs = [
        _pair(side_a, requests_a, side_b, requests_b, across, wanted)
        for side_a, side_b in _sides(a, name_a, b, name_b)
    ]
    limit = arguments.fail_if_slower
    if arguments.json:
        print_json(_object(pairs, limit))
    else:
        for pair in pairs:
            _print(pair)
    return _judge(pairs, limit)


def _parts(given: str) -> tuple[str, str | None]:
    run, separator, model = given.partition("/")
    return run, model if separator else None


def _sides(a: Run, name_a: str | None, b: Run, name_b: str | None) -> list[tuple[Side, Side]]:
    """The models that are compared; without names those that both runs have."""
    if name_a is not None or name_b is not None:
        first = _model(a, name_a if name_a is not None else name_b)
        second = _model(b, name_b if name_b is not None else name_a)
        return [(Side(run=a, model=first), Side(run=b, model=second))]
    if a.id == b.id:
        if len(a.models) == 2:
            return [(Side(run=a, model=a.models[0]), Side(run=b, model=b.models[1]))]
        raise BadInput(
            f"the run has {len(a.models)} models, and it is not clear which two are meant",
            remedy="name them: foundry-tui compare RUN/MODEL RUN/MODEL",
        )
    both = [
        (Side(run=a, model=model), Side(run=b, model=other))
        for model in a.models
        for other in b.models
        if other.model == model.model
    ]
    if not both and len(a.models) == len(b.models) == 1:
        both = [(Side(run=a, model=a.models[0]), Side(run=b, model=b.models[0]))]
    if not both:
        raise BadInput(
            "the two runs have no model of one name",
            remedy="name two: foundry-tui compare RUN/MODEL RUN/MODEL",
        )
    return both


def _model(run: Run, name: str | None) -> ModelRun:
    found = [model for model in run.models if name in (model.model, model.model_id)]
    if not found:
        found = [model for model in run.models if model.is_called(name or "")]
    if len(found) != 1:
        names = ", ".join(clean_line(model.model) for model in run.models)
        several = "several models" if found else "no model"
        raise BadInput(
            f"run {run.id[:8]} has {several} {clean_line(name or '', 60)!r}", remedy=f"it has {names}"
        )
    return found[0]


def _pair(
    a: Side,
    requests_a: Sequence[RequestRun],
    b: Side,
    requests_b: Sequence[RequestRun],
    across: Across | None,
    wanted: Measure | None,
) -> _Pair:
    factor = across or likely_factor(a, b)
    stray = [found for found in differences(a, b, factor) if not found.is_meant]
    if stray:
        raise BadInput(
            f"not comparable: {'; '.join(map(difference_words, stray))}",
            remedy=f"across {factor.value} all else must match; --across names what is to be compared",
        )
    own_a = standing([request for request in requests_a if request.model == a.model.model])
    own_b = standing([request for request in requests_b if request.model == b.model.model])
    results = tuple(compared(own_a, own_b, measure=measure) for measure in _MEASURES)
    measure = wanted or (Measure.DECODE_RATE if results[0].has_alike_lengths is False else Measure.LATENCY)
    decisive = next(result for result in results if result.measure is measure)
    is_one_model = a.conditions()["model"] == b.conditions()["model"]
    return _Pair(
        a=a,
        b=b,
        results=results,
        measure=measure,
        slower=_slower(decisive),
        is_shown=decisive.verdict is Verdict.SLOWER,
        answers=answers_unchanged(own_a, own_b) if is_one_model else None,
    )


def _slower(result: Comparison) -> Interval | None:
    """Where the share lies by which B is slower: more of a time, less of a rate."""
    if result.interval is None:
        return None
    low, high = result.interval.low - 1, result.interval.high - 1
    return Interval(low, high) if result.measure.is_time else Interval(-high, -low)


def _judge(pairs: Sequence[_Pair], limit: float | None) -> int:
    if limit is None:
        return ExitCode.DONE
    code = ExitCode.DONE
    for pair in pairs:
        what = f"{clean_line(pair.b.model.model)}, {MEASURE_WORDS[pair.measure]}"
        if pair.slower is None:
            say(f"{what}: too few rounds to tell whether the limit of {limit:.4g} % holds")
        elif pair.breaks(limit):
            ends = f"[{pair.slower.low * 100:.1f}, {pair.slower.high * 100:.1f}]"
            say(f"{what}: slower by {ends} %, beyond the limit of {limit:.4g} %")
            code = ExitCode.LIMIT_BROKEN
        elif pair.slower.high * 100 > limit:
            say(f"{what}: it cannot be told whether the limit of {limit:.4g} % holds: more rounds would tell")
    return code


def _print(pair: _Pair) -> None:
    a, b = _names(pair)
    for result in pair.results:
        print_text(comparison_sentence(result, a, b))
    if pair.answers is not None:
        print_text(unchanged_sentence(pair.answers, pair.b.run.plan, pair.b.model.model))
    latency = pair.results[0]
    if latency.unpaired_a or latency.unpaired_b:
        say(f"left out without a counterpart: {latency.unpaired_a} of A, {latency.unpaired_b} of B")
    unknown = unknown_fields(pair.a, pair.b)
    if unknown:
        say(f"known of one side only, and so not compared: {', '.join(map(clean_line, unknown))}")


def _names(pair: _Pair) -> tuple[str, str]:
    if pair.a.model.model != pair.b.model.model:
        return pair.a.model.model, pair.b.model.model
    name = pair.a.model.model
    return f"{name} in {_run_name(pair.a.run)}", f"{name} in {_run_name(pair.b.run)}"


def _run_name(run: Run) -> str:
    return f"{run.name} ({run.id[:8]})" if run.name else run.id[:8]


def _object(pairs: Sequence[_Pair], limit: float | None) -> dict[str, object]:
    return {
        "schema": COMPARISON_SCHEMA,
        "fail_if_slower_percent": limit,
        "comparisons": [_pair_object(pair, limit) for pair in pairs],
    }


def _pair_object(pair: _Pair, limit: float | None) -> dict[str, object]:
    a, b = _names(pair)
    slower = pair.slower
    return {
        "a": _side_object(pair.a),
        "b": _side_object(pair.b),
        "unknown": list(unknown_fields(pair.a, pair.b)),
        "answers": None if pair.answers is None else asdict(pair.answers),
        "measure": pair.measure.value,
        "slower_share": None if slower is None else [slower.low, slower.high],
        "limit_broken": None if limit is None else pair.breaks(limit),
        "measures": {
            result.measure.value: {
                "verdict": result.verdict.value,
                "sentence": comparison_sentence(result, a, b),
                "ratio": result.ratio,
                "interval": None if result.interval is None else [result.interval.low, result.interval.high],
                "wilcoxon_p": result.wilcoxon_p,
                "sign_p": result.sign_p,
                "pairs": result.pairs,
                "more_pairs": result.more_pairs,
                "unpaired_a": result.unpaired_a,
                "unpaired_b": result.unpaired_b,
                "estimated": result.is_estimate,
                "length_ratio": result.length_ratio,
            }
            for result in pair.results
        },
    }


def _side_object(side: Side) -> dict[str, object]:
    return {"run": side.run.id, "model": side.model.model, "model_id": side.model.model_id}
