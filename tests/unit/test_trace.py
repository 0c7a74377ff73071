"""The time line of one request: readings are kept as they came, however the request ended."""

import pytest

from foundry_tui.domain.chat import (
    ChunkKind,
    ChunkReceived,
    ClockRead,
    GenerationFinished,
    Moment,
    Outcome,
    TokenUsage,
)
from foundry_tui.domain.errors import EngineBusy, EngineDied, EngineUnavailable, GenerationFailed
from foundry_tui.domain.trace import GenerationTrace, TraceBuilder


def observed() -> TraceBuilder:
    trace = TraceBuilder()
    for event in (
        ClockRead(moment=Moment.CALL, at_ns=10),
        ClockRead(moment=Moment.SENT, at_ns=20),
        ClockRead(moment=Moment.HEADERS, at_ns=30),
        ClockRead(moment=Moment.ROLE, at_ns=40),
        ChunkReceived(at_ns=50, text="hm ", kind=ChunkKind.REASONING),
        ChunkReceived(at_ns=60, text="Hel"),
        ChunkReceived(at_ns=60, text='{"a"', kind=ChunkKind.TOOL),
        ChunkReceived(at_ns=70, text="lo\r\n"),
    ):
        trace.observe(event)
    return trace


def test_a_finished_stream_keeps_every_reading() -> None:
    builder = observed()
    usage = TokenUsage(prompt_tokens=3, completion_tokens=4)
    builder.observe(
        GenerationFinished(
            outcome=Outcome.TRUNCATED,
            finish_reason="length",
            end_ns=80,
            usage=usage,
            response_id="r1",
            warnings=("no_done",),
            delay_p99_ns=5,
        )
    )

    trace = builder.finish()

    assert (trace.call_ns, trace.sent_ns, trace.headers_ns, trace.role_ns) == (10, 20, 30, 40)
    assert [chunk.at_ns for chunk in trace.chunks] == [50, 60, 60, 70]
    assert (trace.end_ns, trace.usage, trace.outcome) == (80, usage, Outcome.TRUNCATED)
    assert (trace.finish_reason, trace.response_id) == ("length", "r1")
    assert (trace.warnings, trace.delay_p99_ns, trace.error) == (("no_done",), 5, None)


def test_the_text_is_the_answer_alone_and_exactly_as_it_came() -> None:
    trace = observed().cancelled()

    assert trace.text == "Hello\r\n"
    assert trace.reasoning == "hm "


def test_a_moment_is_read_once() -> None:
    builder = TraceBuilder()

    builder.observe(ClockRead(moment=Moment.SENT, at_ns=5))
    builder.observe(ClockRead(moment=Moment.SENT, at_ns=9))

    assert builder.moment_ns(Moment.SENT) == 5
    assert builder.moment_ns(Moment.ROLE) is None


def test_a_stream_that_has_not_finished_has_no_finished_trace() -> None:
    with pytest.raises(ValueError, match="has not finished"):
        observed().finish()


def test_a_stream_that_its_reader_left_keeps_what_had_arrived() -> None:
    trace = observed().cancelled()

    assert trace.outcome is Outcome.CANCELLED
    assert len(trace.chunks) == 4
    assert (trace.end_ns, trace.usage, trace.error) == (None, None, None)


def test_a_failed_generation_keeps_its_outcome_its_end_and_what_had_arrived() -> None:
    trace = observed().failed(GenerationFailed("cut", outcome=Outcome.DISCONNECTED, end_ns=90))

    assert (trace.outcome, trace.end_ns, trace.error) == (Outcome.DISCONNECTED, 90, "cut")
    assert trace.text == "Hello\r\n"


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (EngineDied("killed"), Outcome.ENGINE_DIED),
        (EngineBusy("killed"), Outcome.SKIPPED),
        (EngineUnavailable("killed"), Outcome.SKIPPED),
    ],
)
def test_an_error_of_the_engine_itself_has_no_end_reading(
    error: EngineDied | EngineBusy | EngineUnavailable, outcome: Outcome
) -> None:
    trace = observed().failed(error)

    assert (trace.outcome, trace.end_ns, trace.error) == (outcome, None, "killed")
    assert len(trace.chunks) == 4


def test_a_request_that_was_never_sent_has_nothing_but_its_call() -> None:
    builder = TraceBuilder()
    builder.observe(ClockRead(moment=Moment.CALL, at_ns=1))

    trace = builder.failed(EngineUnavailable("nobody there"))

    assert (trace.call_ns, trace.sent_ns, trace.chunks, trace.text) == (1, None, (), "")


@pytest.mark.parametrize(
    ("sent_ns", "chunk_ns", "end_ns"),
    [(5, (4,), None), (1, (3, 2), None), (1, (2, 3), 2), (5, (), 4), (None, (2,), 1)],
)
def test_a_clock_that_goes_backwards_is_refused(
    sent_ns: int | None, chunk_ns: tuple[int, ...], end_ns: int | None
) -> None:
    with pytest.raises(ValueError, match="must not go backwards"):
        trace_of(sent_ns, chunk_ns, end_ns)


def test_equal_readings_are_allowed() -> None:
    trace = trace_of(5, (5, 5), 5)

    assert [chunk.at_ns for chunk in trace.chunks] == [5, 5]


def trace_of(sent_ns: int | None, chunk_ns: tuple[int, ...], end_ns: int | None) -> GenerationTrace:
    return GenerationTrace(
        call_ns=None,
        sent_ns=sent_ns,
        headers_ns=None,
        role_ns=None,
        chunks=tuple(ChunkReceived(at_ns=at_ns, text="x") for at_ns in chunk_ns),
        end_ns=end_ns,
        usage=None,
        outcome=Outcome.CANCELLED,
    )
