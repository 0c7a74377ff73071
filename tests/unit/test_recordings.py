"""A run as one file: it comes back as it went out, is played as it was, and answers in tests."""

import json
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from foundry_tui.demo import DEMO_MODEL_ID
from foundry_tui.domain.bench import Phase, RequestRun, ResourceReading, Run, RunStatus
from foundry_tui.domain.chat import ChunkKind, Outcome
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder
from foundry_tui.engines.streaming.delay import LoopDelay
from foundry_tui.engines.streaming.openai_http import OpenAIHttpEngine, make_client
from foundry_tui.metrics.replay import Replay, ReplayMoment
from foundry_tui.ports.engines import Engine
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_reading import ImportedRun, read_run
from tests.contract.chats import ask, hear
from tests.support.endpoint import scripted_endpoint
from tests.support.recorded import (
    DEMO,
    RecordedEngine,
    Recording,
    recorded_script,
    recorded_scripts,
    recording,
)
from tests.support.runs import a_request, a_run
from tests.support.script import Wait
from tests.support.timed import MS, trace
from tests.support.traces import random_trace

LONE = "high \ud83d, low \ude00"


def as_file(run: Run, requests: list[RequestRun], resources: tuple[ResourceReading, ...] = ()) -> str:
    return results_json(results_object(run, requests, resources))


def read(text: str) -> ImportedRun:
    return read_run(text, "recording.json", now_unix_ms=0)


def mixed() -> GenerationTrace:
    """Reasoning, a tool call and an answer, whose characters come apart between chunks."""
    made = trace([10.0] * 5, completion=6)
    kinds = (ChunkKind.REASONING, ChunkKind.REASONING, ChunkKind.TOOL, *[ChunkKind.CONTENT] * 3)
    texts = ("thi", "nk\ud83d", '{"a":', "half \ud83d", "\ude00 other half", LONE)
    chunks = (
        replace(chunk, kind=kind, text=text, tokens=n)
        for n, (chunk, kind, text) in enumerate(zip(made.chunks, kinds, texts, strict=True))
    )
    return replace(made, chunks=tuple(chunks), headers_ns=1001 * MS, role_ns=1002 * MS)


def failed(outcome: Outcome) -> GenerationTrace:
    return replace(
        trace([10.0, 900.0], outcome=outcome),
        error=f"it ended as {outcome} \x1b[31m\x00",
        warnings=("no_done",),
        end_ns=9999 * MS,
    )


ODD = {
    "mixed": mixed(),
    "no text": trace(outcome=Outcome.EMPTY, has_text=False),
    "nothing read": replace(
        trace(sent_ms=None, has_text=False, outcome=Outcome.SKIPPED), call_ns=None, end_ns=None
    ),
    **{outcome.value: failed(outcome) for outcome in Outcome if not outcome.is_timed},
}


def moments(of: GenerationTrace, resources: tuple[ResourceReading, ...]) -> list[ReplayMoment]:
    """Twenty-one looks at it from its begin to its end."""
    replay = Replay(of, resources)
    return [replay.moment(replay.share_ns(n / 20)) for n in range(21)]


@pytest.mark.parametrize("name", ODD)
def test_a_recording_is_played_from_its_file_as_it_was(name: str) -> None:
    run = replace(a_run(), status=RunStatus.COMPLETED)
    requests = [replace(a_request(1), trace=ODD[name])]
    readings = tuple(
        ResourceReading(at_ns=(1000 + 50 * n) * MS, rss_bytes=n, cpu_share=n / 10) for n in range(40)
    )

    text = as_file(run, requests, readings)
    back = read(text)

    assert back.requests[0].trace == ODD[name]
    assert moments(back.requests[0].trace, back.resources) == moments(ODD[name], readings)
    assert as_file(back.run, list(back.requests), back.resources) == text


@pytest.mark.parametrize("seed", range(40))
def test_any_recording_comes_back_to_the_byte(seed: int) -> None:
    run = replace(a_run(), status=RunStatus.INTERRUPTED, note=LONE, tags=("a", LONE))
    requests = [replace(a_request(n), trace=random_trace(1000 * seed + n)) for n in range(1, 6)]
    text = as_file(run, requests)

    back = read(text)

    assert as_file(back.run, list(back.requests), back.resources) == text
    for ours, theirs in zip(requests, back.requests, strict=True):
        assert [chunk.text for chunk in theirs.trace.chunks] == [chunk.text for chunk in ours.trace.chunks]
        assert moments(theirs.trace, ()) == moments(ours.trace, ())


# --- the one that is kept for ever


def test_the_kept_recording_can_still_be_read() -> None:
    kept = recording()

    assert DEMO.stat().st_size < 100_000
    assert kept.run.status is RunStatus.COMPLETED
    assert [prompt.id for prompt in kept.run.plan.prompts] == ["capital", "cow", "story"]
    assert len(kept.requests) == 20
    assert len([one for one in kept.requests if one.phase is Phase.TIMED]) == 9
    assert {one.trace.outcome for one in kept.requests if one.phase is Phase.TIMED} == {Outcome.COMPLETED}
    assert {one.trace.text for one in kept.answers(DEMO_MODEL_ID, "What is the capital of France?")} == {
        "The capital of France is Paris."
    }
    assert all(reading.rss_bytes for reading in kept.resources)


def test_each_promised_reading_of_the_kept_recording_is_read_as_it_stands_there() -> None:
    content = json.loads(DEMO.read_text(encoding="utf-8"))
    kept = recording()

    for entry, one in zip(content["requests"], kept.requests, strict=True):
        made = one.trace
        assert (entry["call_ns"], entry["sent_ns"], entry["headers_ns"], entry["role_ns"]) == (
            *(made.call_ns, made.sent_ns),
            *(made.headers_ns, made.role_ns),
        )
        assert entry["chunk_ns"] == [chunk.at_ns for chunk in made.chunks]
        assert entry["chunk_chars"] == [len(chunk.text) for chunk in made.chunks]
        assert (entry["text"], entry["text_sha256"]) == (made.text, one.text_sha256)
        assert (entry["end_ns"], entry["status"]) == (made.end_ns, made.outcome.value)
    assert content["resources"]["at_ns"] == [reading.at_ns for reading in kept.resources]


def test_the_kept_recording_can_be_played_to_its_end() -> None:
    kept = recording()

    for one in kept.requests:
        replay = Replay(one.trace, kept.resources)
        assert replay.moment(replay.length_ns).count == len(one.trace.chunks)
        assert replay.moment(replay.length_ns).resources is not None


# --- as a fixture


async def played(engine: Engine, prompt: str, *, model: str = DEMO_MODEL_ID) -> GenerationTrace:
    """What a client keeps of one request."""
    heard = await hear(engine, ask(prompt, model=model))
    builder = TraceBuilder()
    for event in heard.events:
        builder.observe(event)
    return builder.finish() if heard.error is None else builder.failed(heard.error)


async def test_the_engine_gives_back_each_answer_in_its_turn_with_all_its_readings() -> None:
    kept = recording()
    engine = RecordedEngine(kept)
    prompt = "Tell me a story."
    stories = kept.answers(DEMO_MODEL_ID, prompt)

    told = [await played(engine, prompt) for _ in range(len(stories) + 1)]

    assert told == [*(one.trace for one in stories), stories[0].trace]
    assert engine.now_ns == stories[0].trace.chunks[-1].at_ns
    assert engine.open_streams == 0


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if not outcome.is_timed])
async def test_the_engine_fails_as_it_failed(outcome: Outcome) -> None:
    record = replace(failed(outcome), warnings=(), usage=None)
    engine = RecordedEngine(Recording(run=a_run(), requests=(replace(a_request(), trace=record),)))

    heard = await played(engine, "Why?", model="alpha")

    end_ns = None if outcome is Outcome.ENGINE_DIED else record.end_ns
    assert heard == replace(record, end_ns=end_ns)


FAST = 1000.0
AT_THE_SERVER = [
    *(Outcome.HTTP_ERROR, Outcome.STREAM_ERROR, Outcome.MALFORMED, Outcome.EARLY_END),
    *(Outcome.DISCONNECTED, Outcome.EMPTY),
]


async def over_http(source: Recording, prompt: str, model: str) -> GenerationTrace:
    """What the real client keeps of an endpoint that serves the recording."""
    async with AsyncExitStack() as stack:
        endpoint = await stack.enter_async_context(scripted_endpoint(recorded_scripts(source, speed=FAST)))
        client = make_client(f"{endpoint.url}/v1", api_key=None, connect_s=5)
        await stack.enter_async_context(client)
        return await played(OpenAIHttpEngine(client, LoopDelay()), prompt, model=model)


async def test_an_endpoint_serves_a_recording_with_text_kinds_and_counts() -> None:
    made = trace([10.0, 0.0, 10.0, 10.0, 10.0], completion=11, reasoning=4, prompt=7)
    kinds = (*[ChunkKind.REASONING] * 2, ChunkKind.TOOL, *[ChunkKind.CONTENT] * 3)
    texts = ("thi", "nk", '{"a":', "The cow ", "says \ud83d", "moo")
    chunks = tuple(
        replace(chunk, kind=kind, text=text)
        for chunk, kind, text in zip(made.chunks, kinds, texts, strict=True)
    )
    record = replace(made, chunks=chunks, role_ns=1050 * MS, finish_reason="stop")
    source = Recording(run=a_run(), requests=(replace(a_request(), trace=record),))

    heard = await over_http(source, "Why?", "alpha")

    assert [(chunk.kind, chunk.text) for chunk in heard.chunks] == list(zip(kinds, texts, strict=True))
    assert (heard.outcome, heard.finish_reason, heard.usage) == (Outcome.COMPLETED, "stop", record.usage)
    assert heard.chunks[1].read == heard.chunks[2].read


@pytest.mark.parametrize("outcome", AT_THE_SERVER)
async def test_an_endpoint_serves_a_failure_so_that_it_ends_alike(outcome: Outcome) -> None:
    has_text = outcome not in (Outcome.HTTP_ERROR, Outcome.EMPTY)
    record = trace([10.0], outcome=outcome, has_text=has_text)
    source = Recording(run=a_run(), requests=(replace(a_request(), trace=record),))

    heard = await over_http(source, "Why?", "alpha")

    assert heard.outcome is outcome
    assert heard.text == record.text


def test_a_served_recording_waits_as_long_as_it_took_or_as_much_less_as_it_is_faster() -> None:
    record = trace([20.0, 0.0, 40.0], ttft_ms=30)

    as_it_was, fast = recorded_script(record), recorded_script(record, speed=4.0)

    assert [step.ms for step in as_it_was.steps if isinstance(step, Wait)] == [30, 20, 40]
    assert [step.ms for step in fast.steps if isinstance(step, Wait)] == [7.5, 5, 10]


async def test_a_served_recording_keeps_its_pace() -> None:
    record = trace([20.0, 40.0, 20.0], ttft_ms=30)
    async with scripted_endpoint(recorded_script(record, speed=2.0)) as endpoint:
        async with make_client(f"{endpoint.url}/v1", api_key=None, connect_s=5) as client:
            await played(OpenAIHttpEngine(client, LoopDelay()), "hi")
        written = endpoint.written("text")
        begun_ns = endpoint.requests[0].at_ns

    # A server may be late, but is never early: 30, 50, 90 and 110 ms at double speed.
    assert [
        entry.at_ns - begun_ns >= due_ms * MS for entry, due_ms in zip(written, (15, 25, 45, 55), strict=True)
    ] == [True] * 4


async def test_an_unknown_model_is_refused_by_the_served_recording() -> None:
    heard = await over_http(recording(), "hi", "nobody-generic-cpu:1")

    assert heard.outcome is Outcome.HTTP_ERROR


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text("[{")

    with pytest.raises(Exception, match=r"broken\.json"):
        recording(path)
