"""Other benchmark tools beside ours on the same schedules: what each tells, against what the server wrote.

Claims: ours is at least as exact on the time to first token as the best of the others, more exact on the
gaps, and tells every failure, and nothing else, as one.

Each of the others lives in a virtual environment of its own (``pip install guidellm``, ``pip install
aiperf``) and is named by its executable; one that is not named is left out, with a word::

    python benchmarks/beside_others.py --guidellm ENV/bin/guidellm --aiperf ENV/bin/aiperf
        [--tokenizer FOLDER] [--requests 10] [--cases role-first,reset] [--only-good | --only-bad] [--quick]

``FOUNDRY_TUI_GUIDELLM`` and ``FOUNDRY_TUI_AIPERF`` stand for the options.  They count tokens by a tokenizer;
they get one from a folder with ``tokenizer.json``, by default that of SmolLM2 in ``FOUNDRY_TUI_TEST_MODELS``,
without the network.

The server (``schedules.py``) is one process for all; each tool asks each case one request at a time, 64
tokens 10 ms apart, the first after 100 ms.  Of ours it is ``foundry-tui bench``, all cases in one interleaved
run; of guidellm ``run`` with the synchronous profile; of aiperf ``profile`` with a concurrency of 1; a first
request warms each up and is not counted.  What they write for each request is read:

* TTFT error: |told - (first piece written - request read)|; reasoning is text.
* gap error: |told - written|, each gap; guidellm keeps none.  A tool that tells another number of gaps than
  there were has none that could be compared.
* token time error: of the time for a token after the first, which each tells:
  |told/(tn - t1)*(C - c1) - 1|, c1 being the tokens of the first write.  Ours is 1/rate.
* tokens right: how often the count was that of the server, or, without usage, of the text.
* told right: how often a failure was told as one, and a good answer as none.  Of a model whose requests fail
  in a way that will repeat ours asks no more, so that there are fewer.

The first two claims are judged by the signs of the differences, one for each good case, of the medians.

Exit code: 0 the claims hold, 1 they do not or are undecided, 2 a tool failed or is absent altogether.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from figures import Spread, Verdict, give_up, interval_words, judge, machine, percentile, print_table
from other_tools import AIPERF, GUIDELLM, OURS, WAYS, Setup, Told, lay_out
from schedules import CASES, Case, is_timed, server, written_ns

from tests.support.record import Record

_NS_PER_MS = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The same against the log; None where the tool or the truth has nothing."""

    is_told_right: bool
    ttft_ms: float | None
    gaps_ms: tuple[float, ...]
    token_share: float | None
    has_right_count: bool | None


def judged(case: Case, told: Told, record: Record) -> Judged:
    """``told`` against the request in the log that was read nearest to its start."""
    numbers = [
        number
        for number, request in enumerate(record.requests)
        if is_timed(request) and request.body.get("model") == case.name
    ]
    if not numbers:
        give_up(f"the server was never asked for {case.name}")
    number = min(numbers, key=lambda one: abs(record.requests[one].at_ns - told.start_ns))
    fails = case.fails and (case.every == 1 or bool(record.written("respond", request=number)))
    wrote_ns = written_ns(record, number)
    return Judged(
        is_told_right=told.is_failure == fails,
        ttft_ms=None if fails or not wrote_ns else _ttft_error_ms(told, record, number, wrote_ns[0]),
        gaps_ms=() if fails else _gap_errors_ms(told, wrote_ns),
        token_share=None if fails else _token_error(case, told, wrote_ns),
        has_right_count=None if fails else told.tokens == case.schedule.tokens,
    )


def _ttft_error_ms(told: Told, record: Record, number: int, first_ns: int) -> float | None:
    if told.ttft_ms is None:
        return None
    return abs(told.ttft_ms - (first_ns - record.requests[number].at_ns) / _NS_PER_MS)


def _gap_errors_ms(told: Told, wrote_ns: Sequence[int]) -> tuple[float, ...]:
    if told.gaps_ms is None or len(told.gaps_ms) != len(wrote_ns) - 1:
        return ()
    gaps_ms = [(later - earlier) / _NS_PER_MS for earlier, later in pairwise(wrote_ns)]
    # Within one write there is none to be wrong about.
    return tuple(abs(told - gap) for told, gap in zip(told.gaps_ms, gaps_ms, strict=True) if gap)


def _token_error(case: Case, told: Told, wrote_ns: Sequence[int]) -> float | None:
    if told.token_ms is None or len(wrote_ns) < 2:
        return None
    tokens = case.schedule.tokens - case.schedule.tokens_per_chunk
    return abs(told.token_ms * _NS_PER_MS / (wrote_ns[-1] - wrote_ns[0]) * tokens - 1)


Found = Mapping[tuple[str, str], list[Judged]]
"""By case and tool."""


def measure(
    ways: Mapping[str, str], cases: Sequence[Case], requests: int, tokenizer: Path | None
) -> dict[tuple[str, str], list[Judged]]:
    """Each tool on all cases, one after the other."""
    names = [case.name for case in cases]
    told: dict[str, dict[str, list[Told]]] = {}
    with tempfile.TemporaryDirectory(prefix="beside-others-") as folder, server(names) as endpoint:
        scratch = Path(folder)
        tokenizers = scratch / "tokenizers"
        if tokenizer is not None:
            lay_out(tokenizer, tokenizers)
        for way, executable in ways.items():
            own = scratch / way
            own.mkdir()
            setup = Setup(
                endpoint=endpoint,
                executable=executable,
                requests=requests,
                scratch=own,
                tokenizers=tokenizers,
            )
            told[way] = WAYS[way](setup, names)
        record = endpoint.record()
    return {
        (case.name, way): [judged(case, one, record) for one in told[way].get(case.name, [])]
        for case in cases
        for way in ways
    }


def report(found: Found) -> bool:
    """Print the table; whether the claims hold."""
    rows = []
    for (name, way), answers in found.items():
        counts = [one.has_right_count for one in answers if one.has_right_count is not None]
        rows.append(
            (
                f"{CASES[name].what}; {way}",
                str(len(answers)),
                *_cells(_ttfts(answers), 3),
                *_gap_cells(answers),
                *_cells([100 * share for one in answers if (share := one.token_share) is not None], 3)[:1],
                f"{sum(counts)} of {len(counts)}" if counts else "",
                f"{sum(one.is_told_right for one in answers)} of {len(answers)}",
            )
        )
    heading = ("case", "n", "TTFT error ms", "max", "gap error ms p50", "p99", "token time error %")
    print_table((*heading, "tokens right", "told right"), rows)
    print()
    others = sorted({way for _, way in found} - {OURS})
    decisions = [*_timing_decisions(found, others)]
    wrong = [CASES[name].what for (name, way), all_of in found.items() if way == OURS and _is_wrong(all_of)]
    print(f"told wrong, or not at all, by ours: {', '.join(wrong) or 'none'}")
    for way in others:
        theirs = [CASES[name].what for (name, of), all_of in found.items() if of == way and _is_wrong(all_of)]
        print(f"by {way}: {', '.join(theirs) or 'none'}")
    return not wrong and all(decision is Verdict.HOLDS for decision in decisions)


def _is_wrong(answers: Sequence[Judged]) -> bool:
    return not answers or not all(one.is_told_right for one in answers)


def _ttfts(answers: Sequence[Judged]) -> list[float]:
    return [one.ttft_ms for one in answers if one.ttft_ms is not None]


def _gaps(answers: Sequence[Judged]) -> list[float]:
    return [gap for one in answers for gap in one.gaps_ms]


def _cells(values: Sequence[float], digits: int) -> tuple[str, str]:
    """Median and greatest."""
    if not values:
        return "", ""
    median, _, greatest = Spread.of(values).cells(digits=digits)
    return median, greatest


def _gap_cells(answers: Sequence[Judged]) -> tuple[str, str]:
    gaps = _gaps(answers)
    if not gaps:
        return "", ""
    return f"{statistics.median(gaps):.3f}", f"{percentile(gaps, 0.99):.3f}"


def _timing_decisions(found: Found, others: Sequence[str]) -> Iterator[Verdict]:
    """Ours less the best of the others, for each good case; nothing where a case has no other reading."""
    statistics_of: tuple[tuple[str, Callable[[Sequence[Judged]], float | None]], ...] = (
        ("TTFT error", lambda answers: statistics.median(values) if (values := _ttfts(answers)) else None),
        ("gap error p50", lambda answers: statistics.median(values) if (values := _gaps(answers)) else None),
        ("gap error p99", lambda answers: percentile(values, 0.99) if (values := _gaps(answers)) else None),
    )
    for what, statistic in statistics_of:
        beyond = []
        for name in dict.fromkeys(name for name, _ in found if not CASES[name].fails):
            ours = statistic(found[name, OURS])
            theirs = [value for way in others if (value := statistic(found[name, way])) is not None]
            if ours is not None and theirs:
                beyond.append(ours - min(theirs))
        if not beyond:
            continue
        shown = interval_words(beyond, "+.3f", unit=" ms")
        decision = judge(beyond, at_most=0.0)
        print(f"{what}, ours less the best other, by cases, 95 %: {shown}; claim: at most 0: {decision}")
        yield decision


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--guidellm", default=os.environ.get("FOUNDRY_TUI_GUIDELLM"), metavar="EXECUTABLE")
    parser.add_argument("--aiperf", default=os.environ.get("FOUNDRY_TUI_AIPERF"), metavar="EXECUTABLE")
    parser.add_argument("--tokenizer", type=Path, metavar="FOLDER", help="with tokenizer.json")
    parser.add_argument("--requests", type=int, default=10, help="of each case, by each tool (default 10)")
    parser.add_argument("--cases", default=",".join(CASES), help="their names, commas between")
    parser.add_argument("--only-good", action="store_true", help="leave out those that fail")
    parser.add_argument("--only-bad", action="store_true", help="only those that fail")
    parser.add_argument("--quick", action="store_true", help="two requests of two cases, to see that it runs")
    arguments = parser.parse_args()
    names = ["role-first", "early-end"] if arguments.quick else arguments.cases.split(",")
    if unknown := [name for name in names if name not in CASES]:
        give_up(f"no such case: {', '.join(unknown)}; there are {', '.join(CASES)}")
    is_left_out = {True: arguments.only_good, False: arguments.only_bad}
    cases = [CASES[name] for name in names if not is_left_out[CASES[name].fails]]
    requests = 2 if arguments.quick else arguments.requests
    if requests < 1 or not cases or sys.platform != "linux":
        give_up(
            "--requests must be at least 1, and cases be left; clocks of two processes compare on Linux only"
        )
    ways = {OURS: sys.executable} | _named({GUIDELLM: arguments.guidellm, AIPERF: arguments.aiperf})
    tokenizer = _tokenizer(arguments.tokenizer) if len(ways) > 1 else None
    if len(ways) == 1:
        print("no other tool is named: ours stands alone, and nothing is compared")
    print(machine("foundry-tui", "openai"))
    print(f"load average at start {os.getloadavg()[0]:.2f}")
    found = measure(ways, cases, requests, tokenizer)
    print(f"load average at end   {os.getloadavg()[0]:.2f}\n")
    return 0 if report(found) else 1


def _named(tools: Mapping[str, str | None]) -> dict[str, str]:
    """Those that are there, with their versions; a word about those that are not."""
    found = {}
    for name, executable in tools.items():
        if not executable:
            print(f"{name}: left out, for no executable is named (--{name})")
        elif shutil.which(executable) is None:
            give_up(f"--{name}: {executable} is no executable")
        else:
            found[name] = executable
            print(f"{name}: {_version(Path(executable), name)}")
    return found


def _version(executable: Path, name: str) -> str:
    """As the environment of ``executable`` knows it."""
    asked = f"from importlib.metadata import version; print(version({name!r}))"
    python = executable.parent / "python"
    done = subprocess.run([python, "-I", "-c", asked], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "version unknown"


def _tokenizer(folder: Path | None) -> Path:
    models = os.environ.get("FOUNDRY_TUI_TEST_MODELS")
    if folder is None and models:
        folder = Path(models) / "smollm2-135m-int4"
    if folder is None or not (folder / "tokenizer.json").is_file():
        give_up("the other tools need a tokenizer: --tokenizer FOLDER with tokenizer.json")
    return folder


if __name__ == "__main__":
    raise SystemExit(main())
