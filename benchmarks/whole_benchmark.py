"""What a whole benchmark costs the model it measures: decode rate, gaps and TTFT next to shorter ways.

Claim: the decode rate through the whole benchmark is at least 0.98 of that of the bare onnxruntime-genai
loop, on SmolLM2-135M int4, where the engine sets the pace.  On the bundled tiny model no claim is made: its
whole answer takes the engine a few milliseconds, and who reads it in one go has no rate.

Run it in an environment in which foundry-tui is installed, on a quiet machine::

    python benchmarks/whole_benchmark.py [--rounds 9]  # native session beside HTTP, bundled tiny model
    python benchmarks/whole_benchmark.py --model FOLDER --bare OTHER_ENVIRONMENT/bin/python [--rounds 31]

The ways, all alive at once with the model loaded, measured one at a time:

- **bench**: a run of the benchmark service as ``foundry-tui bench`` has it: managed runtime, its own web
  service, the measuring process, memory and processor sampled, the request committed to the database; probe,
  calibration and a warm-up before, no certificate; one timed request, whose stored readings are read back.
- **native**: the SDK's ``ChatSession``, streaming, by the clock of the process that reads it.
- **bare** (with ``--bare``): see ``bare_side.py`` and ``path_overhead.py``, whose method this is.

Rates are ``metrics.latency.decode_rate`` for all, gaps those between two reads; the texts must be equal.
Rounds are interleaved and the order rotates; warm-up rounds are thrown away.  The model in the benchmark
stays loaded between runs.  The ratio is taken within each round; a claim is judged by a 95 % interval.

Exit code: 0 the claim that applies holds, 1 it does not or is undecided, 2 something is missing or failed.
"""

import asyncio
import statistics
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

from figures import Spread, Verdict, give_up, interval_words, judge, percentile, print_table
from model_ways import (
    BARE,
    CLAIMED_SHARE,
    NEW_SESSION,
    Ask,
    Question,
    Traces,
    is_smollm2,
    measure,
    option_parser,
    well_set,
)

from foundry_tui.bootstrap import open_services
from foundry_tui.domain.bench import BenchPlan, Phase, PlannedPrompt
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import Registration
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.launching import LaunchOptions, resolve
from foundry_tui.metrics.latency import decode_rate, merged_share, ttft_s

OURS = "bench"
_NOTHING = ("n/a", "", "")


@asynccontextmanager
async def benchmark_way(folder: Path, scratch: Path) -> AsyncGenerator[Ask, None]:
    """The service of the benchmark, on a runtime of its own with the model registered and loaded."""
    (scratch / "config").mkdir(parents=True)
    launch = resolve(
        LaunchOptions(
            data_dir=scratch / "data",
            config_dir=scratch / "config",
            model_cache_dir=scratch / "cache",
            offline=True,
        ),
        {},
    )
    async with open_services(launch) as services:
        await services.client.start()
        model = await services.client.register(Registration(path=str(folder), model_id="measured:1"))
        await services.client.load(model.id)

        async def ask(question: Question) -> Traces:
            plan = BenchPlan(
                models=(model.id,),
                prompts=(PlannedPrompt(id="p1", text=question.prompt),),
                rounds=1,
                max_tokens=question.max_tokens,
                temperature=0.0,
            )
            run_id = await services.bench.begin(plan)
            await services.bench.finished()
            kept = await services.bench.store.requests(run_id)
            timed = [request.trace for request in kept if request.phase is Phase.TIMED]
            if len(timed) != 1 or not timed[0].outcome.is_timed:
                give_up(f"the benchmark kept {[trace.outcome.value for trace in timed]}")
            return {OURS: timed[0]}

        yield ask


def report(found: Mapping[str, Sequence[GenerationTrace]], folder: Path) -> bool:
    """Print the tables; whether the claim holds, where one is made."""
    print_table(
        (
            "",
            "n",
            *("TTFT ms", "min", "max"),
            *("tokens/s", "min", "max"),
            *("gap ms p50", "p99", "greatest"),
            "chunks",
            "shared a read",
        ),
        [(name, str(len(traces)), *_cells(traces)) for name, traces in found.items()],
    )
    print()
    print_table(
        ("bench beside", "its rate / theirs", "by rounds, 95 %", "its TTFT - theirs, ms", "by rounds, 95 %"),
        [
            (name, *_beside(found[OURS], traces))
            for name, traces in found.items()
            if name not in {OURS, NEW_SESSION}
        ],
    )
    if len({trace.text for traces in found.values() for trace in traces}) != 1:
        print("NOT COMPARABLE: the texts differ")
        return False
    if BARE not in found or not is_smollm2(folder):
        print("no claim is made for this model and these ways")
        return True
    decision = judge([-share for share in _shares(found[OURS], found[BARE])], at_most=-CLAIMED_SHARE)
    print(f"claim: rate at least {CLAIMED_SHARE} of bare: {decision}")
    return decision is Verdict.HOLDS


def _cells(traces: Sequence[GenerationTrace]) -> tuple[str, ...]:
    gaps_ms = [gap for trace in traces for gap in _gaps_ms(trace)]
    rates = [rate for trace in traces if (rate := _rate(trace)) is not None]
    shares = [share for trace in traces if (share := merged_share(trace.chunks)) is not None]
    return (
        *Spread.of([_ttft_ms(trace) for trace in traces]).cells(digits=2),
        *(Spread.of(rates).cells() if rates else _NOTHING),
        *(_gap_cells(gaps_ms) if len(gaps_ms) > 1 else _NOTHING),
        str(len(traces[0].chunks)),
        f"{statistics.median(shares):.0%}",
    )


def _gap_cells(gaps_ms: Sequence[float]) -> tuple[str, str, str]:
    return f"{statistics.median(gaps_ms):.3f}", f"{percentile(gaps_ms, 0.99):.3f}", f"{max(gaps_ms):.3f}"


def _beside(ours: Sequence[GenerationTrace], theirs: Sequence[GenerationTrace]) -> tuple[str, ...]:
    """Medians of the ratio and of the difference within each round, with their intervals."""
    shares = _shares(ours, theirs)
    off_ms = [_ttft_ms(mine) - _ttft_ms(other) for mine, other in zip(ours, theirs, strict=True)]
    return (
        f"{statistics.median(shares):.3f}" if shares else "n/a",
        interval_words(shares, ".3f"),
        f"{statistics.median(off_ms):+.2f}",
        interval_words(off_ms, ".2f"),
    )


def _gaps_ms(trace: GenerationTrace) -> list[float]:
    """Between two reads: chunks that shared one have none that was measured."""
    return [
        (later.at_ns - earlier.at_ns) / 1e6
        for earlier, later in pairwise(trace.chunks)
        if later.at_ns != earlier.at_ns
    ]


def _ttft_ms(trace: GenerationTrace) -> float:
    wait_s = ttft_s(trace)
    if wait_s is None:
        give_up("an answer had no text")
    return wait_s * 1e3


def _rate(trace: GenerationTrace) -> float | None:
    rate = decode_rate(trace)
    return None if rate is None else rate.tokens_per_s


def _shares(ours: Sequence[GenerationTrace], theirs: Sequence[GenerationTrace]) -> list[float]:
    """Of the rounds in which both have a rate."""
    pairs = [(_rate(mine), _rate(other)) for mine, other in zip(ours, theirs, strict=True)]
    return [mine / other for mine, other in pairs if mine is not None and other is not None]


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = option_parser(__doc__, warm_up=1)
    parser.add_argument("--quick", action="store_true", help="two short rounds, to see that it runs")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.max_tokens = 2, 24
    well_set(arguments)
    with tempfile.TemporaryDirectory(prefix="whole-benchmark-") as scratch:
        try:
            ours = benchmark_way(arguments.model, Path(scratch) / "ours")
            found = asyncio.run(measure(arguments, Path(scratch), ours))
        except FoundryTuiError as error:
            give_up(f"foundry-tui: {error}")
        return 0 if report(found, arguments.model) else 1


if __name__ == "__main__":
    raise SystemExit(main())
