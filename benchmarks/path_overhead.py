"""What our way to the model costs: time to first token (TTFT) and decode rate, next to shorter ways.

Claims: TTFT within 3 ms of the SDK's native session, on the bundled tiny model; a decode rate of at least
0.98 of the bare onnxruntime-genai loop, on SmolLM2-135M int4, where the engine sets the pace, not the reader.

Run it in an environment in which foundry-tui is installed, on a quiet machine::

    python benchmarks/path_overhead.py
    python benchmarks/path_overhead.py --model FOLDER --bare OTHER_ENVIRONMENT/bin/python

The ways, each in a process of its own with the model loaded, all alive at once and measured one at a time:

- **foundry-tui**: ``HostedEngine`` with a managed runtime, its child, the runtime's web service, frames,
  ``TraceBuilder`` and ``metrics``: the numbers that the app shows.  t0 is the moment the request was written.
- **foundry-tui, at the reader**: the same answers by the clock of the process that reads them, from the call
  to the arrival of the events: building the request, both pipes and the event loops are in it.
- **native**: the SDK's ``ChatSession``, streaming.  t0 stands just before ``process_streaming_request``;
  session and request have been made before.
- **native, new session**: the same answers with t0 before the session is made, which the web service also
  does for each request.
- **bare** (with ``--bare``): see ``bare_side.py``; its environment must not have foundry-local-sdk, which
  brings a library of the same name.

Rates are ``metrics.latency.decode_rate`` for all: (C - c1)/(tn - t1).  A native reader on a model that makes
thousands of tokens a second gets them in a burst, since producer and reader share Python's lock; such a rate,
and any other on the tiny model, says nothing.  Greedy, one prompt, the same number of tokens; the texts must
be equal.  Rounds are interleaved and the order rotates; warm-up answers are thrown away.  The last table puts
medians side by side, then the median of the ratio within each round, then the best rounds: on a busy machine,
where medians wander, the last two tell more.

A claim is judged by a 95 % interval of what the rounds say, each by itself; above 1 a rate / bare is noise.

Exit code: 0 the claim that applies holds, 1 it does not or is undecided, 2 something is missing or failed.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from figures import Spread, Verdict, give_up, interval_words, judge, print_table
from model_ways import (
    BARE,
    CLAIMED_SHARE,
    NATIVE,
    TINY,
    Ask,
    Question,
    Traces,
    is_smollm2,
    measure,
    option_parser,
    trace_of,
    well_set,
)

from foundry_tui.domain.chat import ChatMessage, ChatRequest, ChunkReceived, Role
from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.models import Registration
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.engines.hosting.configs import ManagedConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.metrics.latency import decode_rate, merged_share, ttft_s

CLAIMED_TTFT_S = 0.003
OURS, READER = "foundry-tui", "foundry-tui, at the reader"


@asynccontextmanager
async def our_way(folder: Path, scratch: Path) -> AsyncGenerator[Ask, None]:
    """The whole path of the app, with the model loaded."""
    config = ManagedConfig(
        data_dir=str(scratch / "data"),
        cache_dir=str(scratch / "cache"),
        logs_dir=str(scratch / "logs"),
        offline=True,
    )
    # No ping may fall into a measurement.
    engine = HostedEngine(config, log_dir=scratch / "logs", ping_every_s=3600)
    try:
        await engine.start()
        model = await engine.register(Registration(path=str(folder), model_id="measured:1"))
        await engine.load(model.id)

        async def ask(question: Question) -> Traces:
            request = ChatRequest(
                model=model.id,
                messages=(ChatMessage(role=Role.USER, text=question.prompt),),
                max_tokens=question.max_tokens,
                temperature=0.0,
            )
            trace = TraceBuilder()
            arrived: list[ChunkReceived] = []
            called_ns = time.perf_counter_ns()
            async with aclosing(engine.stream_chat(request)) as events:
                async for event in events:
                    if isinstance(event, ChunkReceived):
                        arrived.append(replace(event, at_ns=time.perf_counter_ns()))
                    trace.observe(event)
            finished = trace.finish()
            tokens = finished.usage.completion_tokens if finished.usage is not None else None
            return {OURS: finished, READER: trace_of(called_ns, tuple(arrived), tokens)}

        yield ask
    finally:
        await engine.stop()


def report(found: Mapping[str, list[GenerationTrace]], folder: Path) -> bool:
    """Print the tables; whether the claims that apply hold."""
    waits = {name: [_known(ttft_s(trace)) for trace in traces] for name, traces in found.items()}
    rates = {name: [_rate(trace) for trace in traces] for name, traces in found.items()}
    wait_of = {name: Spread.of(of_one) for name, of_one in waits.items()}
    rate_of = {name: Spread.of(of_one) for name, of_one in rates.items()}
    print_table(
        ("", "n", "TTFT ms median", "min", "max", "tokens/s median", "min", "max"),
        [
            (
                name,
                str(len(traces)),
                *wait_of[name].cells(scale=1e3, digits=2),
                *rate_of[name].cells(),
            )
            for name, traces in found.items()
        ],
    )
    print()
    print_table(
        (
            "compared with foundry-tui",
            "its TTFT - theirs, ms",
            "its rate / theirs",
            "by rounds",
            "best / best",
        ),
        [
            (
                name,
                f"{(wait_of[OURS].median - wait_of[name].median) * 1e3:+.2f}",
                f"{rate_of[OURS].median / rate_of[name].median:.3f}",
                f"{_paired(rates[OURS], rates[name]):.3f}",
                f"{rate_of[OURS].greatest / rate_of[name].greatest:.3f}",
            )
            for name in found
            if name != OURS
        ],
    )
    traces = found[OURS]
    merged = Spread.of([_known(merged_share(trace.chunks)) for trace in traces])
    counts = sorted(
        {trace.usage.completion_tokens or 0 for of_one in found.values() for trace in of_one if trace.usage}
    )
    print(
        f"\ntokens per answer: {', '.join(map(str, counts))}; chunks of foundry-tui: {len(traces[0].chunks)},"
        f" of which {merged.median:.0%} shared a socket read with the one before"
    )
    if len({trace.text for of_one in found.values() for trace in of_one}) != 1:
        print("NOT COMPARABLE: the texts differ")
        return False
    if folder.resolve() == TINY.resolve():
        off_ms = [(ours - theirs) * 1e3 for ours, theirs in zip(waits[OURS], waits[NATIVE], strict=True)]
        decision = judge(off_ms, at_most=CLAIMED_TTFT_S * 1e3)
        print(f"TTFT - native by rounds, 95 %: {interval_words(off_ms, '.2f')} ms")
        print(f"claim: at most {CLAIMED_TTFT_S * 1e3:g} ms: {decision}")
    elif BARE in found and is_smollm2(folder):
        shares = [ours / theirs for ours, theirs in zip(rates[OURS], rates[BARE], strict=True)]
        decision = judge([-share for share in shares], at_most=-CLAIMED_SHARE)
        print(f"rate / bare by rounds, 95 %: {interval_words(shares, '.3f')}")
        print(f"claim: at least {CLAIMED_SHARE}: {decision}")
    else:
        print("no claim is made for this model and these ways")
        return True
    return decision is Verdict.HOLDS


def _known(value: float | None) -> float:
    if value is None:
        give_up("an answer was too short to be measured")
    return value


def _rate(trace: GenerationTrace) -> float:
    rate = decode_rate(trace)
    return _known(rate.tokens_per_s if rate is not None else None)


def _paired(ours: list[float], theirs: list[float]) -> float:
    """Median over the rounds of ours/theirs: less moved by a load that comes and goes."""
    return Spread.of([mine / other for mine, other in zip(ours, theirs, strict=True)]).median


def main() -> int:
    """Run the benchmark; its exit code."""
    arguments = well_set(option_parser(__doc__, warm_up=2).parse_args())
    with tempfile.TemporaryDirectory(prefix="path-overhead-") as scratch:
        try:
            ours = our_way(arguments.model, Path(scratch) / "ours")
            found = asyncio.run(measure(arguments, Path(scratch), ours))
        except EngineError as error:
            give_up(f"foundry-tui: {error.message}")
        return 0 if report(found, arguments.model) else 1


if __name__ == "__main__":
    raise SystemExit(main())
