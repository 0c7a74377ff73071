"""What plain mode says of numbers, stalls, code and context: pure words."""

from dataclasses import replace
from time import perf_counter_ns

import pytest

from foundry_tui.cli.plain_words import (
    count_words,
    duration_words,
    listed,
    nearest,
    remedy_line,
    sentence,
    spoken,
    unquoted,
)
from foundry_tui.cli.plain_words_chat import CodeBlock, answer_line, code_blocks, context_line, timing_lines
from foundry_tui.cli.plain_words_models import (
    comparison_lines,
    death_lines,
    engine_lines,
    fact_lines,
    resource_lines,
)
from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, Role, TokenUsage
from foundry_tui.domain.conversations import Turn
from foundry_tui.domain.engine import (
    EndpointKind,
    EngineDead,
    EngineInfo,
    EngineReady,
    EngineStarting,
    HostDeath,
)
from foundry_tui.domain.models import CatalogKind, Device, LoadReport, ModelVariant
from foundry_tui.domain.resources import GpuSample, GpuSamples, HostSample, ResourceSample
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.metrics.tokens import ContextUse
from foundry_tui.services.client import Job, JobKind

MS = 1_000_000


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("42 %, 3.10 MiB/s, 8 min left", "42 percent, 3.10 MiB per second, 8 minutes left"),
        ("fetched 1 h ago", "fetched 1 hour ago"),
        ("used 3 d ago, 1 min", "used 3 days ago, 1 minute"),
        ("900 B/s", "900 B per second"),
    ],
)
def test_the_units_of_downloads_and_ages_are_spoken(written: str, said: str) -> None:
    assert spoken(written) == said


def test_a_remedy_that_names_a_command_line_names_the_command_of_this_mode() -> None:
    assert remedy_line("foundry-tui models pull a:1") == "What to do: /download a:1."
    assert remedy_line("did you mean \x1b[2Ja:1?") == "What to do: did you mean ␛[2Ja:1?"


def trace(
    *chunks: tuple[float, str], tokens: int | None = None, share_reads: bool = False
) -> GenerationTrace:
    """An answer whose chunks came so many ms after it was sent."""
    return GenerationTrace(
        call_ns=0,
        sent_ns=0,
        headers_ns=0,
        role_ns=0,
        chunks=tuple(
            ChunkReceived(at_ns=round(at_ms * MS), text=text, read=1 if share_reads else n)
            for n, (at_ms, text) in enumerate(chunks, start=1)
        ),
        end_ns=None,
        usage=TokenUsage(prompt_tokens=7, completion_tokens=tokens),
        outcome=Outcome.COMPLETED,
        finish_reason="stop",
    )


def answered(made: GenerationTrace | None) -> Turn:
    return Turn(id="a", parent_id=None, role=Role.ASSISTANT, text="x", at_unix_ms=0, trace=made)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "TTFT 12.3 ms · ~41.3 tok/s (chunks)",
            "time to first token 12.3 milliseconds, about 41.3 tokens per",
        ),
        ("2 min 05 s in all", "2 minutes 05 seconds in all"),
        ("n/a tok/s", "unknown tokens per second"),
        ("25%, not a%20b1%20c", "25 percent, not a%20b1%20c"),
        ("no file /run/a/n/a.txt or ~1", "no file /run/a/n/a.txt or about 1"),
        ("“size<”: try …", '"size<": try ...'),
    ],
)
def test_words_of_the_screen_are_said_with_their_units(written: str, said: str) -> None:
    assert spoken(written).startswith(said)


def test_durations_and_counts_have_their_units() -> None:
    assert [duration_words(0.0123), duration_words(1.917), duration_words(None)] == [
        "12.3 milliseconds",
        "1.92 seconds",
        "unknown",
    ]
    assert [count_words(n, "model") for n in (0, 1, 1200)] == ["no models", "1 model", "1,200 models"]


def test_a_sentence_begins_with_a_capital_unless_with_a_name_and_ends_with_a_stop() -> None:
    assert [sentence(words) for words in ("it broke", "phi-4:1 broke", "why?", "")] == [
        "It broke.",
        "phi-4:1 broke.",
        "Why?",
        "",
    ]


def test_names_are_found_by_their_beginning_their_likeness_and_their_middle() -> None:
    names = ["phi-4-mini:1", "PHI-3:2", "qwen:1"]

    assert nearest("phi", names) == ["phi-4-mini:1", "PHI-3:2"]
    assert nearest("qwem:1", names) == ["qwen:1"]
    assert nearest("mini", names) == ["phi-4-mini:1"]
    assert nearest("", names) == []
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b or c"


def test_quotes_around_a_path_are_no_part_of_it() -> None:
    assert [unquoted(text) for text in (' "a b" ', "'x'", '"', "it's")] == ["a b", "x", '"', "it's"]


def test_a_stall_is_told_with_its_length_its_place_and_the_words_around_it() -> None:
    made = trace((10, "The "), (20, "capital "), (30, "of "), (842.5, "France"), (850, "\n"), (1850, " is"))

    assert timing_lines(made) == [
        "The first chunk came after 10.0 milliseconds.",
        "5 gaps between chunks: median 10.0 milliseconds, longest 1.00 seconds.",
        "Of the gaps: 1 from 5 to 10 milliseconds, 2 from 10 to 20, 2 from 320 up.",
        "2 stalls, 1.81 seconds together.",
        'Stall 1: 812.5 milliseconds before chunk 4, 842 milliseconds after sending, before "France" after'
        ' "The capital of".',
        'Stall 2: 1,000.0 milliseconds before chunk 6, 1.85 seconds after sending, before "is" after "The'
        ' capital of France".',
    ]


def test_gaps_that_were_not_seen_are_told_as_such() -> None:
    none, one = timing_lines(trace()), timing_lines(trace((10, "x")))
    merged = timing_lines(trace((10, "x"), (10, "y"), share_reads=True))

    assert none == ["Nothing arrived, so there are no gaps."]
    assert one == ["The answer came in one chunk, so there are no gaps."]
    assert merged == ["All 2 chunks came in one read, so their gaps are unknown."]


def test_the_spread_is_told_where_it_can_be_believed() -> None:
    made = trace(*((10 * n, "x") for n in range(1, 71)), tokens=70)

    assert timing_lines(made)[1] == (
        "69 gaps between tokens: median 10.0 milliseconds, 95th percentile 10.0 milliseconds, longest 10.0"
        " milliseconds."
    )
    late = timing_lines(replace(made, delay_p99_ns=7 * MS))
    assert late[1].startswith("69 gaps between tokens: median 10.0 milliseconds, longest")
    assert late[3] == "The measuring process itself was late by 7.0 milliseconds."


def test_hostile_text_at_a_stall_is_harmless() -> None:
    made = trace((10, "\x1b[31m"), (20, "x"), (900, "\x1b]0;owned\x07" * 50))

    lines = "\n".join(timing_lines(made))

    assert "\x1b" not in lines
    assert len(lines) < 500


def test_numbers_of_an_answer_that_never_came_are_few() -> None:
    stopped = replace(trace(), outcome=Outcome.CANCELLED, usage=None)

    assert answer_line(answered(stopped)) == "Nothing arrived, stopped."
    assert answer_line(answered(None)) == "Cut off: the app ended while this was being written."


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("no code", ()),
        ("```\na\n\n b\n```", (CodeBlock(language="", text="a\n\n b\n"),)),
        ("~~~c++ x\na\n```\n~~~\n", (CodeBlock(language="c++", text="a\n```\n"),)),
        ("- x\n\n  ```sh\n  a\n    b\n\n  ```", (CodeBlock(language="sh", text="a\n  b\n\n"),)),
        ("```python\nnever closed", (CodeBlock(language="python", text="never closed\n"),)),
    ],
)
def test_code_is_what_stands_in_fences(text: str, blocks: tuple[CodeBlock, ...]) -> None:
    assert code_blocks(text) == blocks


@pytest.mark.parametrize(
    ("use", "words"),
    [
        ((100, None), "About 100 tokens; the model's limit is unknown."),
        ((100, 4096), "About 100 of 4,096 tokens: 3,996 left for the answer."),
        ((4000, 4096), "About 4,000 of 4,096 tokens: 96 left for the answer, which may take 512."),
        ((5000, 4096), "About 5,000 of 4,096 tokens: too long for this model."),
    ],
)
def test_the_context_is_told_with_what_is_left(use: tuple[int, int | None], words: str) -> None:
    prompt, context = use

    assert context_line(ContextUse(prompt_tokens=prompt, context_tokens=context), 512) == words


def test_a_death_is_told_with_its_last_words_and_what_was_loaded() -> None:
    death = HostDeath(
        exit_code=1, signal_name=None, last_log=("first", "bad \x1b[31m"), was_loaded=("a:1", "b:1")
    )

    assert death_lines(EngineDead("the process exited", death=death)) == [
        "The engine is down: the process exited.",
        "Last log line: bad \u241b[31m",
        "It had loaded: a:1, b:1.",
        "/restart brings it back with what was loaded.",
    ]
    assert death_lines(EngineDead("it did not come up", remedy="start it")) == [
        "The engine is down: it did not come up.",
        "What to do: start it.",
        "/restart tries again.",
    ]


def test_an_engine_that_does_not_answer_says_so() -> None:
    info = EngineInfo(kind=EndpointKind.OPENAI, url="http://h", pid=None, capabilities=())

    assert engine_lines(EngineReady(info, is_answering=False), "http://h")[:3] == [
        "The engine, http://h, does not answer; /restart restarts it.",
        "Kind: openai.",
        "Address: http://h.",
    ]
    assert engine_lines(EngineStarting(), "here") == ["The engine, here, is starting."]


def test_facts_of_a_model_are_said_with_their_units_and_texts_of_others_stay_as_they_are() -> None:
    model = ModelVariant(
        id="a:1",
        alias="a",
        catalog=CatalogKind.LOCAL,
        device=Device.GPU,
        license="cpu",
        path="/kept for 5 s/n/a · 3%",
        problem="it is torn",
    )
    report = LoadReport(model_id="a:1", load_ns=1_500 * MS, was_loaded=False)
    job = Job(kind=JobKind.LOAD, model_id="a:1", started_ns=perf_counter_ns())

    lines = fact_lines(model, report, ())

    assert "Device: GPU." in lines
    assert "Licence: cpu." in lines
    assert "Folder: /kept for 5 s/n/a · 3%." in lines
    assert "Last load: 1.50 seconds." in lines
    assert "Problem: it is torn." in lines
    assert "Publisher: unknown." in lines
    state = next(line for line in fact_lines(model, report, (job,)) if line.startswith("State: "))
    assert state.startswith("State: loading, ")
    assert state.endswith("seconds so far.")


def test_models_are_compared_by_what_one_of_them_has() -> None:
    sound = ModelVariant(id="a:1", alias="a", catalog=CatalogKind.LOCAL, context_tokens=4096)
    torn = replace(sound, id="b:1", problem="it is torn")

    lines = comparison_lines((sound, torn), {})

    assert lines[0] == "Compared: 1: a:1, 2: b:1."
    assert "Context: the same, 4,096 tokens." in lines
    assert "Problem: 1, none; 2, it is torn." in lines
    assert not [line for line in lines if line.startswith("Last load")]


def test_each_gpu_is_told_with_its_memory() -> None:
    host = HostSample(
        cpu_share=None, ram_total_bytes=8 * 1024**3, ram_used_bytes=1024**3, process_rss_bytes=1024
    )
    card = GpuSample(
        name="Some GPU", total_bytes=2 * 1024**3, used_bytes=1024**3, process_bytes=1024**2, busy_share=0.5
    )
    sample = ResourceSample(at_ns=0, late_ns=0, host=host, gpu=GpuSamples(gpus=(card,)))

    assert resource_lines(sample) == [
        "CPU unknown, RAM 1.00 GiB of 8.00 GiB, engine 1.00 KiB.",
        "GPU Some GPU: VRAM 1.00 GiB of 2.00 GiB (engine 1.00 MiB), busy 50 percent.",
    ]
    assert resource_lines(None) == ["Processors and memory cannot be read."]


def test_chunks_of_thought_count_among_the_gaps() -> None:
    made = trace((10, "hm"), (20, "x"))
    thought = replace(made.chunks[0], kind=ChunkKind.REASONING)

    lines = timing_lines(replace(made, chunks=(thought, made.chunks[1])))

    assert lines[1] == "1 gap between chunks: median 10.0 milliseconds, longest 10.0 milliseconds."
