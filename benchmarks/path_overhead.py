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

import argparse
import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from figures import Spread, Verdict, give_up, judge, machine, median_interval, print_table

from foundry_tui.demo import demo_registration
from foundry_tui.domain.chat import ChatMessage, ChatRequest, ChunkReceived, Outcome, Role, TokenUsage
from foundry_tui.domain.errors import EngineError
from foundry_tui.domain.models import Registration
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.engines.hosting.configs import ManagedConfig
from foundry_tui.engines.hosting.hosted import HostedEngine
from foundry_tui.metrics.latency import decode_rate, merged_share, ttft_s

CLAIMED_TTFT_S = 0.003
CLAIMED_SHARE = 0.98
# Either claim is made for one model; its folder is known by the size of its embedding.
_TINY = Path(demo_registration().path)
_SMOLLM2_VOCABULARY = 49152
_LINE_LIMIT = 1 << 24
_PATIENCE_S = 300.0

OURS, READER, NATIVE, NEW_SESSION, BARE = (
    "foundry-tui",
    "foundry-tui, at the reader",
    "native",
    "native, new session",
    "bare",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What each way is asked, greedily."""

    prompt: str
    max_tokens: int


# One answer may be read by more than one clock: traces by the name of their row.
Traces = Mapping[str, GenerationTrace]
Ask = Callable[[Question], Awaitable[Traces]]


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
            return {OURS: finished, READER: _trace(called_ns, tuple(arrived), tokens)}

        yield ask
    finally:
        await engine.stop()


@asynccontextmanager
async def side_way(names: Mapping[str, str], *command: str) -> AsyncGenerator[Ask, None]:
    """A way in a script of its own; ``names``: for each row the reading that is its t0."""
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=_LINE_LIMIT
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process was started without pipes")
    stdin, stdout = process.stdin, process.stdout

    async def read() -> dict[str, object]:
        async with asyncio.timeout(_PATIENCE_S):
            line = await stdout.readline()
        if not line:
            give_up(f"{command[1]} ended; what it said stands above")
        said: object = json.loads(line)
        if not isinstance(said, dict):
            raise TypeError(f"{command[1]} wrote {said!r}")
        return said

    async def ask(question: Question) -> Traces:
        asked = {"prompt": question.prompt, "max_tokens": question.max_tokens}
        stdin.write(json.dumps(asked).encode() + b"\n")
        said = await read()
        tokens = _number(said["tokens"])
        pairs = said["chunks"] if isinstance(said["chunks"], list) else []
        chunks = tuple(
            ChunkReceived(at_ns=at_ns, text=text, read=number) for number, (at_ns, text) in enumerate(pairs)
        )
        return {name: _trace(_number(said[t0]), chunks, tokens) for name, t0 in names.items()}

    try:
        print(f"{', '.join(names)}: {(await read())['versions']}")
        yield ask
    finally:
        stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


def _trace(sent_ns: int, chunks: tuple[ChunkReceived, ...], tokens: int | None) -> GenerationTrace:
    return GenerationTrace(
        call_ns=sent_ns,
        sent_ns=sent_ns,
        headers_ns=None,
        role_ns=None,
        chunks=chunks,
        end_ns=chunks[-1].at_ns if chunks else None,
        usage=TokenUsage(completion_tokens=tokens),
        outcome=Outcome.COMPLETED,
    )


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value


async def measure(arguments: argparse.Namespace, scratch: Path) -> dict[str, list[GenerationTrace]]:
    """All rounds; the traces of each row."""
    question = Question(prompt=arguments.prompt, max_tokens=arguments.max_tokens)
    here = Path(__file__).parent
    folder = str(arguments.model)
    async with AsyncExitStack() as stack:
        ways = [await stack.enter_async_context(our_way(arguments.model, scratch / "ours"))]
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
    return {name: found[name] for name in (OURS, READER, NATIVE, NEW_SESSION, BARE) if name in found}


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
    if folder.resolve() == _TINY.resolve():
        off_ms = [(ours - theirs) * 1e3 for ours, theirs in zip(waits[OURS], waits[NATIVE], strict=True)]
        decision = judge(off_ms, at_most=CLAIMED_TTFT_S * 1e3)
        print(f"TTFT - native by rounds, 95 %: {_shown(off_ms, 2)} ms")
        print(f"claim: at most {CLAIMED_TTFT_S * 1e3:g} ms: {decision}")
    elif BARE in found and is_smollm2(folder):
        shares = [ours / theirs for ours, theirs in zip(rates[OURS], rates[BARE], strict=True)]
        decision = judge([-share for share in shares], at_most=-CLAIMED_SHARE)
        print(f"rate / bare by rounds, 95 %: {_shown(shares, 3)}")
        print(f"claim: at least {CLAIMED_SHARE}: {decision}")
    else:
        print("no claim is made for this model and these ways")
        return True
    return decision is Verdict.HOLDS


def _shown(readings: list[float], digits: int) -> str:
    interval = median_interval(readings)
    return "n/a" if interval is None else f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


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


def is_smollm2(folder: Path) -> bool:
    """Whether the model in ``folder`` has the vocabulary of SmolLM2, for which rates are claimed."""
    config = json.loads((folder / "genai_config.json").read_text(encoding="utf-8"))
    return bool(config["model"]["vocab_size"] == _SMOLLM2_VOCABULARY)


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
    parser.add_argument("--warm-up", type=int, default=2, help="answers of each way thrown away (default 2)")
    arguments = parser.parse_args()
    if not (arguments.model / "genai_config.json").is_file():
        give_up(f"{arguments.model} is no model folder: it has no genai_config.json")
    if arguments.bare is not None and not arguments.bare.is_file():
        give_up(f"{arguments.bare} is no Python interpreter")
    if arguments.rounds < 1 or arguments.max_tokens < 2:
        give_up("--rounds must be at least 1, --max-tokens at least 2")
    print(machine("foundry-tui", "foundry-local-sdk", "onnxruntime", "onnxruntime-genai-core", "openai"))
    with tempfile.TemporaryDirectory(prefix="path-overhead-") as scratch:
        try:
            found = asyncio.run(measure(arguments, Path(scratch)))
        except EngineError as error:
            give_up(f"foundry-tui: {error.message}")
        return 0 if report(found, arguments.model) else 1


if __name__ == "__main__":
    raise SystemExit(main())
