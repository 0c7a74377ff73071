"""Ways to one model beside each other: what ``path_overhead.py`` and ``whole_benchmark.py`` share."""

import argparse
import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from figures import give_up, machine

from foundry_tui.demo import demo_registration
from foundry_tui.domain.chat import ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace

__all__ = [
    "BARE",
    "CLAIMED_SHARE",
    "NATIVE",
    "NEW_SESSION",
    "TINY",
    "Ask",
    "Question",
    "Traces",
    "is_smollm2",
    "measure",
    "option_parser",
    "trace_of",
    "well_set",
]

CLAIMED_SHARE = 0.98
"""Of the bare loop's decode rate, on SmolLM2."""
TINY = Path(demo_registration().path)
NATIVE, NEW_SESSION, BARE = "native", "native, new session", "bare"
# Claims are made for one model; its folder is known by the size of its embedding.
_SMOLLM2_VOCABULARY = 49152
_LINE_LIMIT = 1 << 24
_PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What each way is asked, greedily."""

    prompt: str
    max_tokens: int


# One answer may be read by more than one clock: traces by the name of their row.
Traces = Mapping[str, GenerationTrace]
Ask = Callable[[Question], Awaitable[Traces]]


def option_parser(description: str | None, *, warm_up: int) -> argparse.ArgumentParser:
    """The options of both, with so many rounds to warm up."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, default=TINY, help="model folder (default: the bundled one)")
    parser.add_argument("--bare", type=Path, help="Python of an environment with onnxruntime-genai")
    parser.add_argument("--prompt", default="Tell me a long story about a fox and a bear.")
    parser.add_argument("--max-tokens", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=9, help="answers of each way that count (default 9)")
    parser.add_argument(
        "--warm-up",
        type=int,
        default=warm_up,
        help=f"answers of each way thrown away (default {warm_up})",
    )
    return parser


def well_set(arguments: argparse.Namespace) -> argparse.Namespace:
    """The same, once they make sense; prints what is measured."""
    if not (arguments.model / "genai_config.json").is_file():
        give_up(f"{arguments.model} is no model folder: it has no genai_config.json")
    if arguments.bare is not None and not arguments.bare.is_file():
        give_up(f"{arguments.bare} is no Python interpreter")
    if arguments.rounds < 1 or arguments.max_tokens < 2:
        give_up("--rounds must be at least 1, --max-tokens at least 2")
    print(machine("foundry-tui", "foundry-local-sdk", "onnxruntime", "onnxruntime-genai-core", "openai"))
    return arguments


async def measure(
    arguments: argparse.Namespace, scratch: Path, ours: AbstractAsyncContextManager[Ask]
) -> dict[str, list[GenerationTrace]]:
    """All rounds; the traces of each row, ours first."""
    question = Question(prompt=arguments.prompt, max_tokens=arguments.max_tokens)
    here, folder = Path(__file__).parent, str(arguments.model)
    async with AsyncExitStack() as stack:
        ways = [await stack.enter_async_context(ours)]
        native = (sys.executable, str(here / "native_side.py"), folder, str(scratch / "native"))
        rows = {NATIVE: "sent_ns", NEW_SESSION: "opened_ns"}
        ways.append(await stack.enter_async_context(_side_way(rows, *native)))
        if arguments.bare is not None:
            bare = (str(arguments.bare), str(here / "bare_side.py"), folder)
            ways.append(await stack.enter_async_context(_side_way({BARE: "sent_ns"}, *bare)))
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
    return found


@asynccontextmanager
async def _side_way(names: Mapping[str, str], *command: str) -> AsyncGenerator[Ask, None]:
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
        return {name: trace_of(_number(said[t0]), chunks, tokens) for name, t0 in names.items()}

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


def trace_of(sent_ns: int, chunks: tuple[ChunkReceived, ...], tokens: int | None) -> GenerationTrace:
    """What a reader of its own has: its t0, what came when, and how many tokens there were."""
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


def is_smollm2(folder: Path) -> bool:
    """Whether the model in ``folder`` has the vocabulary of SmolLM2, for which rates are claimed."""
    config = json.loads((folder / "genai_config.json").read_text(encoding="utf-8"))
    return bool(config["model"]["vocab_size"] == _SMOLLM2_VOCABULARY)


def _number(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"{value!r} is no whole number")
    return value
