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

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import pairwise
from pathlib import Path

from figures import Spread, Verdict, give_up, judge, machine, median_interval, print_table
from path_overhead import BARE, NATIVE, NEW_SESSION, Ask, Question, Traces, is_smollm2, side_way

from foundry_tui.bootstrap import open_services
from foundry_tui.demo import demo_registration
from foundry_tui.domain.bench import BenchPlan, Phase, PlannedPrompt
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.models import Registration
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.launching import LaunchOptions, resolve
from foundry_tui.metrics.latency import decode_rate, merged_share, ttft_s

CLAIMED_SHARE = 0.98
OURS = "bench"
_NOTHING = ("n/a", "", "")
_TINY = Path(demo_registration().path)


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


async def measure(arguments: argparse.Namespace, scratch: Path) -> dict[str, list[GenerationTrace]]:
    """All rounds; the traces of each row."""
    question = Question(prompt=arguments.prompt, max_tokens=arguments.max_tokens)
    here, folder = Path(__file__).parent, str(arguments.model)
    async with AsyncExitStack() as stack:
        ways = [await stack.enter_async_context(benchmark_way(arguments.model, scratch / "ours"))]
        native = (sys.executable, str(here / "native_side.py"), folder, str(scratch / "native"))
        rows = {NATIVE: "sent_ns", NEW_SESSION: "opened_ns"}
        ways.append(await stack.enter_async_context(side_way(rows, *native)))
        if arguments.bare is not None:
            bare = (str(arguments.bare), str(here / "bare_side.py"), folder)
            ways.append(await stack.enter_async_context(side_way({BARE: "sent_ns"}, *bare)))
        for _ in range(arguments.warm_up):
            for ask in ways:
                await ask(question)
        print(f"load average before {os.getloadavg()[0]:.2f}")
        found: dict[str, list[GenerationTrace]] = {}
        for number in range(arguments.rounds):
            turn = number % len(ways)
            for ask in (*ways[turn:], *ways[:turn]):
                for name, trace in (await ask(question)).items():
                    found.setdefault(name, []).append(trace)
        print(f"load average after  {os.getloadavg()[0]:.2f}\n")
    return {name: found[name] for name in (OURS, NATIVE, NEW_SESSION, BARE) if name in found}


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
    p99 = statistics.quantiles(gaps_ms, n=100, method="inclusive")[98]
    return f"{statistics.median(gaps_ms):.3f}", f"{p99:.3f}", f"{max(gaps_ms):.3f}"


def _beside(ours: Sequence[GenerationTrace], theirs: Sequence[GenerationTrace]) -> tuple[str, ...]:
    """Medians of the ratio and of the difference within each round, with their intervals."""
    shares = _shares(ours, theirs)
    off_ms = [_ttft_ms(mine) - _ttft_ms(other) for mine, other in zip(ours, theirs, strict=True)]
    return (
        f"{statistics.median(shares):.3f}" if shares else "n/a",
        _shown(shares, 3),
        f"{statistics.median(off_ms):+.2f}",
        _shown(off_ms, 2),
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


def _shown(readings: list[float], digits: int) -> str:
    interval = median_interval(readings)
    return "n/a" if interval is None else f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def main() -> int:
    """Run the benchmark; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=_TINY, help="model folder (default: the bundled one)")
    parser.add_argument("--bare", type=Path, help="Python of an environment with onnxruntime-genai")
    parser.add_argument("--prompt", default="Tell me a long story about a fox and a bear.")
    parser.add_argument("--max-tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=9, help="answers of each way that count (default 9)")
    parser.add_argument("--warm-up", type=int, default=1, help="rounds thrown away (default 1)")
    parser.add_argument("--quick", action="store_true", help="two short rounds, to see that it runs")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rounds, arguments.max_tokens = 2, 24
    if not (arguments.model / "genai_config.json").is_file():
        give_up(f"{arguments.model} is no model folder: it has no genai_config.json")
    if arguments.bare is not None and not arguments.bare.is_file():
        give_up(f"{arguments.bare} is no Python interpreter")
    if arguments.rounds < 1 or arguments.max_tokens < 2:
        give_up("--rounds must be at least 1, --max-tokens at least 2")
    print(machine("foundry-tui", "foundry-local-sdk", "onnxruntime", "onnxruntime-genai-core", "openai"))
    with tempfile.TemporaryDirectory(prefix="whole-benchmark-") as scratch:
        try:
            found = asyncio.run(measure(arguments, Path(scratch)))
        except FoundryTuiError as error:
            give_up(f"foundry-tui: {error}")
        return 0 if report(found, arguments.model) else 1


if __name__ == "__main__":
    raise SystemExit(main())
