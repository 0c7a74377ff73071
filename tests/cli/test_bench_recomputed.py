"""Every number of a summary, recomputed by other code from the raw readings in the same JSON alone.

The definitions are those of docs/measuring.md; nothing of the program is imported for them.
"""

import csv
import hashlib
import io
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest

from foundry_tui.config.schema import json_schema
from tests.cli.program import run_async
from tests.support.bench_schedules import PROMPT
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.faults import PIECES
from tests.support.record import Request
from tests.support.script import (
    Done,
    Finish,
    Headers,
    Raw,
    Reasoning,
    Role,
    Script,
    Step,
    Text,
    Together,
    Tool,
    Usage,
    Wait,
    answer,
)

Entry = dict[str, Any]
WORDS = ("One ", "two ", "three ", "four ", "five ", "six")
SPREADS = ("ttft_s", "latency_s", "decode_tokens_per_s", "end_to_end_tokens_per_s")


def streamed(*events: Step, ending: tuple[Step, ...] = (Finish(), Usage(completion=6), Done())) -> Script:
    """Each of ``events`` 4 ms after the one before."""
    steps: list[Step] = [Headers(), Role()]
    for event in events:
        steps += [Wait(4), event]
    return Script((*steps, *ending))


COUNTED = [Text(word, tokens_so_far=2 * place) for place, word in enumerate(WORDS, 1)]
SCHEDULES = {
    "plain": answer(WORDS, gap_ms=4, first_ms=6),
    "no-usage": answer(WORDS, gap_ms=4, usage=False),
    "four-a-chunk": answer(WORDS, gap_ms=4, completion_tokens=24),
    "counts-zero": answer(WORDS, gap_ms=4, completion_tokens=0),
    "cut": answer(WORDS, gap_ms=4, finish="length"),
    "one-chunk": answer(("all at once",)),
    "hidden": answer(WORDS, gap_ms=4, completion_tokens=400),
    "counted": streamed(*COUNTED, ending=(Finish(), Usage(completion=12), Done())),
    "merged": streamed(*[Together([Text(f"{word}, "), Text(word)]) for word in WORDS[:3]]),
    "reasons": streamed(*[Reasoning(word) for word in WORDS[:3]], *[Text(word) for word in WORDS[3:]]),
    "calls": streamed(Tool("", name="add"), Tool('{"a": 1,'), Tool(' "b": 2}')),
    "stalls": streamed(*map(Text, WORDS[:3]), Wait(500), *map(Text, WORDS[3:])),
    "odd": Script(
        (
            *(Headers(), Raw(b'\xef\xbb\xbfdata: {"choices": [{"delta": {"content": "a"}}]}\n\ndata:\n\n')),
            *(Wait(4), Text("\U0001f600"), Wait(4), Text("\0"), Finish()),
        )
    ),
    "breaks": streamed(*map(Text, WORDS), ending=()),
}


def scheduled(request: Request) -> Script:
    """What the model is called after, of the timed prompt."""
    messages = request.body["messages"]
    assert isinstance(messages, list)
    is_timed = messages[-1]["content"] == PROMPT
    return SCHEDULES[str(request.body["model"])] if is_timed else answer(PIECES)


# Of one request


def shown(entry: Entry) -> str:
    return f"{entry['text']}{entry['reasoning']}{entry['tool_text']}"


def output_tokens(entry: Entry) -> int | None:
    told, estimated = entry["completion_tokens"], entry["estimated_tokens"]
    return estimated if told is None else told  # type: ignore[no-any-return]  # a number or null


def hides_tokens(entry: Entry) -> bool:
    told = entry["completion_tokens"]
    return told is not None and told > len(shown(entry).encode()) + 1


def seconds_to(entry: Entry, place: int) -> float:
    return float(entry["chunk_ns"][place] - entry["sent_ns"]) / 1e9


def decode_rate(entry: Entry) -> float | None:
    stamps, tokens = entry["chunk_ns"], output_tokens(entry)
    if tokens is None or tokens < 2 or stamps[0] == stamps[-1] or hides_tokens(entry):
        return None
    at_once = stamps.count(stamps[0])
    first = entry["chunk_tokens"][at_once - 1] or tokens / len(stamps) * at_once
    return float((tokens - first) / (stamps[-1] - stamps[0]) * 1e9)


def end_to_end_rate(entry: Entry) -> float | None:
    tokens = output_tokens(entry)
    return None if tokens is None else tokens / seconds_to(entry, -1)


# Of a model


def assert_spread(found: Entry, values: list[float | None]) -> None:
    known = [value for value in values if value is not None]
    assert found["n"] == len(known)
    assert found["p95_supported"] is (len(known) >= 59)
    told = [found[name] for name in ("mean", "median", "p95", "min", "max")]
    if known:
        expected = [np.mean(known), np.median(known), np.percentile(known, 95), min(known), max(known)]
        assert told == pytest.approx(expected, rel=1e-9)
    else:
        assert told == [None] * 5


def assert_gaps(found: Entry, good: list[Entry]) -> None:
    gaps = [(later - earlier) / 1e9 for entry in good for earlier, later in pairwise(entry["chunk_ns"])]
    shared = sum(later == earlier for entry in good for earlier, later in pairwise(entry["chunk_read"]))
    counts = [entry["completion_tokens"] for entry in good]
    chunks = sum(len(entry["chunk_ns"]) for entry in good)
    is_token = None not in counts and 0.98 <= chunks / sum(counts) <= 1 / 0.98
    late = max(entry["delay_p99_ns"] or 0 for entry in good) > 5_000_000
    assert (found["n"], found["same_read"]) == (len(gaps), shared)
    assert found["kind"] == ("token" if is_token else "chunk")
    assert (found["mean"], found["min"], found["max"]) == pytest.approx(
        (np.mean(gaps), min(gaps), max(gaps)), rel=1e-9
    )
    assert found["withheld"] == ["merged-reads"] * (shared > len(gaps) / 100) + ["late-clock"] * late
    told = (found["median"], found["p95"], found["p99"])
    if found["withheld"]:
        assert told == (None, None, None)
    else:
        assert told == pytest.approx(tuple(np.percentile(gaps, (50, 95, 99))), rel=1e-9)


def stalls_of(entry: Entry) -> int:
    pairs = zip(pairwise(entry["chunk_ns"]), pairwise(entry["chunk_read"]), strict=True)
    gaps_ms = [(later - earlier) / 1e6 for (earlier, later), (one, other) in pairs if one != other]
    return sum(gap > max(3 * float(np.median(gaps_ms)), 250) for gap in gaps_ms)


async def test_every_summary_follows_from_the_readings_beside_it(tmp_path: Path) -> None:
    async with scripted_endpoint(scheduled, Setting(models=tuple(SCHEDULES))) as endpoint:
        end = await run_async(
            *("bench", "--endpoint", endpoint.url, "--models", ",".join(SCHEDULES), "--prompt", PROMPT),
            *("--rounds", "2", "--warmup", "0", "--json", "--out", "out"),
            data_dir=tmp_path / "data",
        )

    results = json.loads(end.out)
    jsonschema.validate(results, json_schema("results"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out/benchmark_models.csv").read_text())))
    assert end.code == 1
    assert [summary["model"] for summary in results["summary"]] == list(SCHEDULES)
    for summary, row in zip(results["summary"], rows, strict=True):
        own = [one for one in results["requests"] if one["model"] == summary["model"]]
        timed = [one for one in own if one["phase"] == "timed"]
        good = [one for one in timed if one["status"] in ("completed", "truncated")]
        values: dict[str, list[float | None]] = {
            "ttft_s": [seconds_to(one, 0) for one in good],
            "latency_s": [seconds_to(one, -1) for one in good],
            "decode_tokens_per_s": [decode_rate(one) for one in good],
            "end_to_end_tokens_per_s": [end_to_end_rate(one) for one in good],
        }
        assert summary["rounds_ok"] == len(good)
        assert summary["outcomes"] == Counter(one["status"] for one in timed)
        assert summary["hidden_token_answers"] == sum(map(hides_tokens, good))
        for name in SPREADS:
            assert_spread(summary[name], values[name])
            assert [row[f"{name}_n"], row[f"{name}_mean"], row[f"{name}_p95"]] == [
                "" if cell is None else str(cell) for cell in map(summary[name].get, ("n", "mean", "p95"))
            ]
        if any(len(one["chunk_ns"]) > 1 for one in good):
            assert_gaps(summary["gap_s"], good)
            assert summary["gap_s"]["stalls"] == sum(map(stalls_of, good))
        workshop = [
            (one["prompt_tokens"] + one["completion_tokens"]) / seconds_to(one, -1)
            for one in good
            if one["prompt_tokens"] is not None and one["completion_tokens"] is not None
        ]
        assert summary["legacy_tokens_per_s"] == (pytest.approx(np.mean(workshop)) if workshop else None)
        for one in own:
            assert hashlib.sha256(one["text"].encode()).hexdigest() == one["text_sha256"]
            moments = [one[name] for name in ("call_ns", "sent_ns", "headers_ns")]
            assert [*moments, *one["chunk_ns"], one["end_ns"]] == sorted(
                [*moments, *one["chunk_ns"], one["end_ns"]]
            )

    of = {summary["model"]: summary for summary in results["summary"]}
    assert of["plain"]["token_sources"] == {"usage": 2}
    assert of["counts-zero"]["token_sources"] == {"chunks": 2}
    assert of["hidden"]["decode_tokens_per_s"]["n"] == 0
    assert of["one-chunk"]["decode_tokens_per_s"]["n"] == 0
    assert of["stalls"]["gap_s"]["stalls"] == 2
    assert of["four-a-chunk"]["gap_s"]["kind"] == "chunk"
    assert of["odd"]["rounds_ok"] == 2
    odd = [one for one in results["requests"] if (one["phase"], one["model"]) == ("timed", "odd")]
    assert {one["text"] for one in odd} == {"a\U0001f600\0"}
    assert of["breaks"]["status"] == "early_end"
