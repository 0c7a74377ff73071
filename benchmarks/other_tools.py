"""How ``beside_others.py`` has each tool ask the server, and reads what it wrote of each request."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from figures import give_up
from pseudo_terminal import foundry_tui
from schedules import PROMPT, Server

__all__ = ["AIPERF", "GUIDELLM", "OURS", "WAYS", "Setup", "Told", "lay_out"]

OURS, GUIDELLM, AIPERF = "foundry-tui", "guidellm", "aiperf"
PATIENCE_S = 300
_TOKENIZER = "local/tokenizer"
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "config.json")
_NS_PER_MS = 1e6
_GOOD_STATUSES = frozenset({"completed", "truncated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a tool tells of one request.

    Attributes:
        start_ns: When it was begun, by the server's clock, roughly: to find it in the log.
        gaps_ms: None where the tool keeps none.
        token_ms: Time for a token after the first.
    """

    start_ns: int
    is_failure: bool
    ttft_ms: float | None = None
    gaps_ms: tuple[float, ...] | None = None
    token_ms: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a run of a tool needs.

    Attributes:
        scratch: A new folder.
        tokenizers: A folder laid out as the hub's library keeps its files.
    """

    endpoint: Server
    executable: str
    requests: int
    scratch: Path
    tokenizers: Path


Ask = Callable[[Setup, Sequence[str]], dict[str, list[Told]]]


def ask_ours(setup: Setup, names: Sequence[str]) -> dict[str, list[Told]]:
    """All cases in one run of ``foundry-tui bench``."""
    asked = (
        *("bench", "--models", ",".join(names), "--prompt", PROMPT, "--rounds", str(setup.requests)),
        *("--max-tokens", "1024", "--json", "--offline", "--endpoint", setup.endpoint.url),
    )
    out = _run(OURS, foundry_tui(setup.scratch, *asked), {}, good=frozenset({0, 1}))
    found: dict[str, list[Told]] = {}
    for entry in json.loads(out)["requests"]:
        if entry["phase"] != "timed":
            continue
        chunks_ns, tokens = entry["chunk_ns"], entry["completion_tokens"] or entry["estimated_tokens"]
        found.setdefault(entry["model"], []).append(
            Told(
                start_ns=entry["sent_ns"] or entry["call_ns"],
                is_failure=entry["status"] not in _GOOD_STATUSES,
                ttft_ms=(chunks_ns[0] - entry["sent_ns"]) / _NS_PER_MS if chunks_ns else None,
                gaps_ms=tuple((later - earlier) / _NS_PER_MS for earlier, later in pairwise(chunks_ns)),
                token_ms=_our_token_ms(chunks_ns, tokens),
                tokens=tokens,
            )
        )
    return found


def _our_token_ms(chunks_ns: Sequence[int], tokens: int | None) -> float | None:
    """1/decode rate as ``metrics.latency.decode_rate`` has it: all that came at t1 is left out."""
    if tokens is None or len(chunks_ns) < 2 or chunks_ns[-1] == chunks_ns[0]:
        return None
    first = tokens / len(chunks_ns) * chunks_ns.count(chunks_ns[0])
    return (chunks_ns[-1] - chunks_ns[0]) / _NS_PER_MS / (tokens - first)


def ask_guidellm(setup: Setup, names: Sequence[str]) -> dict[str, list[Told]]:
    """One run for each case."""
    prompts, written = setup.scratch / "prompts.jsonl", setup.scratch / "report.json"
    prompts.write_text(f"{json.dumps({'prompt': PROMPT})}\n" * (setup.requests + 1), encoding="utf-8")
    tokenizer = next(setup.tokenizers.glob("hub/*/snapshots/*"))
    found = {}
    for name in names:
        backend = f"kind=openai_http,target={setup.endpoint.url},model={name},validate_backend=false"
        command = (
            *(setup.executable, "run", "--backend", f"{backend},request_format=/v1/chat/completions"),
            *("--profile", "kind=synchronous", "--constraint"),
            *(f"kind=max_requests,count={setup.requests + 1}", "--data", f"kind=json_file,path={prompts}"),
            *("--tokenizer", f"kind=huggingface_auto,model={tokenizer}"),
            *("--output", f"kind=json,path={written}", "--disable-console-interactive"),
        )
        written.unlink(missing_ok=True)
        _run(GUIDELLM, command, _offline(setup))
        [report] = json.loads(written.read_text(encoding="utf-8"))["benchmarks"]
        told = [
            _told_by_guidellm(entry, is_failure=kind != "successful")
            for kind, entries in report["requests"].items()
            for entry in entries or ()
        ]
        found[name] = sorted(told, key=lambda one: one.start_ns)[1:]
    return found


def _told_by_guidellm(entry: Mapping[str, object], *, is_failure: bool) -> Told:
    return Told(
        start_ns=round((_number(entry["request_start_time"]) or 0) * 1e9) - _OFFSET_NS,
        is_failure=is_failure,
        ttft_ms=_number(entry["time_to_first_token_ms"]),
        token_ms=_number(entry["inter_token_latency_ms"]),
        tokens=_whole(entry["output_tokens"]),
    )


def ask_aiperf(setup: Setup, names: Sequence[str]) -> dict[str, list[Told]]:
    """One run for each case."""
    prompts = setup.scratch / "prompts.jsonl"
    prompts.write_text(f"{json.dumps({'text': PROMPT})}\n" * (setup.requests + 1), encoding="utf-8")
    found = {}
    for name in names:
        folder = setup.scratch / name
        command = (
            *(setup.executable, "profile", "--model", name, "--url", setup.endpoint.url),
            *("--endpoint-type", "chat", "--streaming", "--concurrency", "1", "--input-file", str(prompts)),
            *("--custom-dataset-type", "single_turn", "--request-count", str(setup.requests)),
            *("--warmup-request-count", "1", "--tokenizer", _TOKENIZER, "--ui", "none"),
            *("--no-gpu-telemetry", "--no-server-metrics", "--artifact-dir", str(folder)),
        )
        _run(AIPERF, command, _offline(setup), good=frozenset({0, 1}))  # 1 where every request failed
        with (folder / "profile_export.jsonl").open(encoding="utf-8") as lines:
            told = [
                _told_by_aiperf(entry)
                for entry in map(json.loads, lines)
                if entry["metadata"]["benchmark_phase"] == "profiling"
            ]
        found[name] = sorted(told, key=lambda one: one.start_ns)
    return found


def _told_by_aiperf(entry: Mapping[str, Mapping[str, object]]) -> Told:
    metrics = entry["metrics"]

    def value(name: str) -> object:
        metric = metrics.get(name)
        return metric["value"] if isinstance(metric, dict) else None

    gaps = value("inter_chunk_latency")
    return Told(
        start_ns=(_whole(entry["metadata"]["request_start_ns"]) or 0) - _OFFSET_NS,
        is_failure=entry.get("error") is not None,
        ttft_ms=_number(value("time_to_first_token")),
        gaps_ms=tuple(gaps) if isinstance(gaps, list) else None,
        token_ms=_number(value("inter_token_latency")),
        tokens=_whole(value("output_sequence_length")),
    )


WAYS: Mapping[str, Ask] = {OURS: ask_ours, GUIDELLM: ask_guidellm, AIPERF: ask_aiperf}
# The others tell the time of day, the server's log the monotonic clock.
_OFFSET_NS = time.time_ns() - time.perf_counter_ns()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _whole(value: object) -> int | None:
    number = _number(value)
    return None if number is None else round(number)


def _offline(setup: Setup) -> dict[str, str]:
    # A tool of such a kind may not report home from a measurement either.
    return {
        "HF_HOME": str(setup.tokenizers),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
    }


def _run(
    name: str, command: Sequence[str], variables: Mapping[str, str], *, good: frozenset[int] = frozenset({0})
) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH" or name == OURS}
        | dict(variables),
        stdin=subprocess.DEVNULL,
    )
    if done.returncode not in good:
        give_up(f"{name} ended with code {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done.stdout


def lay_out(folder: Path, scratch: Path) -> Path:
    """The tokenizer in ``folder`` as the hub's library would have kept it, so that no network is needed."""
    kept = scratch / "hub" / f"models--{_TOKENIZER.replace('/', '--')}"
    snapshot = kept / "snapshots" / "main"
    snapshot.mkdir(parents=True)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("main", encoding="utf-8")
    for name in _TOKENIZER_FILES:
        if (folder / name).is_file():
            shutil.copy(folder / name, snapshot)
    if not (snapshot / "config.json").is_file():  # their library asks it for the kind of model
        (snapshot / "config.json").write_text('{"model_type": "llama"}', encoding="utf-8")
    return scratch
