"""A run as a page: it says what the other reports say, draws every reading, and loads and runs nothing."""

import base64
import hashlib
import re
from dataclasses import replace

import pytest

from foundry_tui.domain.bench import (
    ModelRun,
    Phase,
    PlannedPrompt,
    RequestRun,
    ResourceReading,
    Run,
    RunStatus,
)
from foundry_tui.domain.chat import ChunkKind, ChunkReceived, Outcome, TokenUsage
from foundry_tui.domain.trace import GenerationTrace
from foundry_tui.reports.page.words import parts_of
from foundry_tui.reports.run_html import run_html
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_results import model_results
from foundry_tui.reports.run_words import highlights, left_out_lines, model_row, worst_words
from tests.support.hostile import CORPUS, harm_in
from tests.support.pages import Page, page_of
from tests.support.runs import a_request, a_run
from tests.support.traces import random_trace

MS = 1_000_000
SVG_SIGNS = "✕"


def trace(
    *gaps_ms: float, first_ms: float = 100, begun_ms: float = 0, outcome: Outcome = Outcome.COMPLETED
) -> GenerationTrace:
    """The first chunk after ``first_ms``, then one after each gap."""
    at = [begun_ms + first_ms]
    for gap in gaps_ms:
        at.append(at[-1] + gap)
    chunks = tuple(
        ChunkReceived(at_ns=round(stamp * MS), text="word ", read=number)
        for number, stamp in enumerate(at, 1)
    )
    return GenerationTrace(
        call_ns=round(begun_ms * MS),
        sent_ns=round(begun_ms * MS),
        headers_ns=round(begun_ms * MS),
        role_ns=None,
        chunks=chunks,
        end_ns=chunks[-1].at_ns,
        usage=TokenUsage(prompt_tokens=10, completion_tokens=len(chunks)),
        outcome=outcome,
        error=None if outcome.is_timed else "it broke",
    )


def request(number: int, made: GenerationTrace, *, model: str = "alpha", round_: int = 1) -> RequestRun:
    assert made.sent_ns is not None
    return replace(
        a_request(number, model=model), trace=made, round=round_, at_unix_ms=1_000_000 + made.sent_ns // MS
    )


def run_of(*models: str) -> Run:
    """A completed run of these models."""
    planned = a_run(models=tuple(ModelRun(model=name, outcome=Outcome.COMPLETED) for name in models))
    return replace(
        planned,
        plan=replace(planned.plan, models=models),
        status=RunStatus.COMPLETED,
        ended_unix_ms=9_000,
    )


def measured(models: tuple[str, ...] = ("alpha", "beta"), rounds: int = 4) -> list[RequestRun]:
    """Each model in each round, one after another."""
    made = []
    for number in range(len(models) * rounds):
        speed = 10 + number % len(models)
        made.append(
            request(
                number + 1,
                trace(*[speed] * 6, begun_ms=500 * number, first_ms=90 + number),
                model=models[number % len(models)],
                round_=number // len(models) + 1,
            )
        )
    return made


NO_NUMBER = re.compile(r"\b(?:nan|inf|None(?! ended well))\b")


def page(run: Run, requests: list[RequestRun], resources: tuple[ResourceReading, ...] = ()) -> Page:
    """What came out, and no fault in it."""
    made = page_of(run_html([(run, requests, resources)]))
    assert made.unclosed == []
    assert len(made.ids) == len(set(made.ids))
    return made


def test_every_word_of_the_markdown_report_stands_on_the_page() -> None:
    run, requests = run_of("alpha", "be|ta *b*"), measured(("alpha", "be|ta *b*"))
    requests[3] = request(4, trace(10, begun_ms=1500, outcome=Outcome.EARLY_END), model="be|ta *b*", round_=2)

    made = page(run, requests)

    told = re.sub(r"\\(.)", r"\1", re.sub(r"\\\|", "\0", run_markdown(run, requests)))
    pieces = [
        piece.strip(" -#>*").replace("\0", "|")
        for line in told.splitlines()
        if set(line) - set("|-")
        for piece in line.split("|")
    ]
    missing = [piece for piece in pieces if piece not in made.text and f"{piece}:" not in made.text]
    assert [piece for piece in missing if not piece.startswith("Interpretation")] == []
    assert highlights(model_results(run, requests))[0] in made.text


def test_numbers_are_those_of_the_one_model_behind_all_reports() -> None:
    run, requests = run_of("alpha", "beta"), measured()

    made = page(run, requests)

    planned = len(run.plan.prompts) * run.plan.rounds
    results = model_results(run, requests)
    for result in results:
        for cell in model_row(result, rounds=planned):
            assert cell in made.texts
        assert worst_words(result.summary.latency_s).startswith("max ")
    for line in left_out_lines(results):
        assert line in made.text


def test_the_page_loads_nothing_runs_nothing_and_its_one_style_is_named_by_its_digest() -> None:
    html = run_html([(run_of("alpha", "beta"), measured(), ())])

    made = page_of(html)

    assert {name for name, _ in made.elements} & {
        "script",
        "link",
        "img",
        "iframe",
        "base",
        "form",
        "use",
    } == set()
    assert "//" not in html.partition("<body>")[2]
    assert "@import" not in html
    assert "url(" not in html
    for name, attributes in made.elements:
        assert not any(key.startswith("on") or key in ("style", "src") for key in attributes), name
    assert {(link["href"] or "")[0] for link in made.of("a")} == {"#"}
    assert {(link["href"] or "")[1:] for link in made.of("a")} <= set(made.ids)
    policy = next(meta["content"] for meta in made.of("meta") if "http-equiv" in meta)
    style = html.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


HOSTILE = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "]]></style></svg><!--",
    "\u202egnp.exe\u2066",
    "\x1b[31m\x00\x9b",
    "&lt;b&gt; &amp;",
    "javascript:alert(1)",
    "| a | b |\n## head\n> quote\n- item",
    "\\| \\\\| `x` **y**",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_somebody_elses_text_is_a_text_wherever_it_stands(text: str) -> None:
    plain = run_html([(replace(run_of("m"), name="name", note="note"), [], ())])
    run = replace(
        run_of(text),
        name=text,
        note=text,
        environment=((text, text),),
        models=(ModelRun(model=text, reason=text, facts=((text, text),), warnings=(text,)),),
    )
    run = replace(run, plan=replace(run.plan, prompts=(PlannedPrompt(id=text, text=text, system=text),)))
    made_trace = trace(10, 400, 10, outcome=Outcome.STREAM_ERROR)
    said = (ChunkReceived(at_ns=MS, text=text, kind=ChunkKind.REASONING), *made_trace.chunks)
    requests = [
        replace(
            request(1, replace(made_trace, error=text, warnings=(text,), chunks=said), model=text),
            prompt_id=text,
        )
    ]

    html = run_html([(run, requests, ())])

    made = page_of(html)
    assert made.unclosed == []
    assert {name for name, _ in made.elements} - {name for name, _ in page_of(plain).elements} <= {
        *("rect", "g", "path", "text", "line", "circle", "desc", "figure", "figcaption", "small", "b", "pre"),
        *(
            "details",
            "summary",
            "table",
            "th",
            "td",
            "tr",
            "thead",
            "tbody",
            "h3",
            "h4",
            "svg",
            "title",
            "div",
        ),
    }
    assert harm_in(html.replace("\n", "")) == set()
    assert [
        value for _, attributes in made.elements for value in attributes.values() if text in (value or "")
    ] == []


def test_all_hostile_texts_at_once_leave_the_page_well_formed() -> None:
    chunks = tuple(
        ChunkReceived(at_ns=number * MS, text=payload.text, read=number)
        for number, payload in enumerate(CORPUS, 1)
    )
    requests = [request(1, replace(trace(), chunks=chunks, end_ns=chunks[-1].at_ns))]

    html = run_html([(run_of("alpha"), requests, ())])

    assert page_of(html).unclosed == []
    assert harm_in(html.replace("\n", "").replace("\t", "")) == set()


def test_the_same_run_gives_the_same_page_to_the_last_byte() -> None:
    resources = tuple(ResourceReading(at_ns=n * 100 * MS, rss_bytes=n << 20) for n in range(40))

    pages = {run_html([(run_of("alpha", "beta"), measured(), resources)]) for _ in range(2)}

    assert len(pages) == 1


def test_any_readings_make_a_page() -> None:
    for seed in range(60):
        requests = [
            replace(
                a_request(number, model=("alpha", "beta")[number % 2]),
                trace=random_trace(seed * 10 + number),
                phase=list(Phase)[(seed + number) % len(Phase)] if number % 3 else Phase.TIMED,
                at_unix_ms=(seed * 7_919_993 * number) % 10**12,
            )
            for number in range(1, 8)
        ]
        resources = tuple(
            ResourceReading(at_ns=(seed * n * 999_983) % 2**40, cpu_share=None if n % 2 else n / 3)
            for n in range(9)
        )

        made = page(a_run(), requests, resources)

        said = {made.text, *(value or "" for _, attributes in made.elements for value in attributes.values())}
        assert [text for text in said if NO_NUMBER.search(text)] == []


def test_a_run_without_a_request_says_so_and_draws_nothing() -> None:
    made = page(a_run(), [])

    assert "There are no readings" in made.text
    assert "There is no time line: no request was made." in made.text
    assert "No request was made." in made.text
    assert made.of("svg") == []


def test_where_all_failed_every_number_is_na_with_its_reason_and_never_nought() -> None:
    requests = [
        request(
            number,
            replace(trace(outcome=Outcome.HTTP_ERROR, begun_ms=number * 50), chunks=(), usage=None),
            model=model,
        )
        for number, model in enumerate(("alpha", "beta"), 1)
    ]

    made = page(run_of("alpha", "beta"), requests)

    assert "alpha: n/a, no timed request ended well (http error)" in made.text
    assert made.texts.count("it broke") == 4  # in the summary and beside each request
    assert "0 ms" not in made.texts
    assert "0.0 tok/s" not in made.texts
    assert made.text.count("1 request, 1 of them failed") >= 2


def test_each_point_of_a_small_run_is_drawn_and_twelve_models_have_twelve_rows() -> None:
    models = tuple(f"model-{number}" for number in range(12))

    made = page(run_of(*models), measured(models, rounds=3))

    titles = [
        text for text in made.texts if re.fullmatch(r"request \d+: 9\d\.\d ms|request \d+: 1[012]\d ms", text)
    ]
    assert len(titles) == 36
    for title in ("Time to first token", "Latency", "Decode rate", "Latency against the round"):
        assert sum(text.startswith(f"{title}: model-") for text in made.texts) == 12
    # Below five requests there is no box, below six no interval of the median.
    assert [attributes for attributes in made.of("rect") if attributes.get("class") == "box"] == []
    assert "n/a, 6 answers are needed" in made.text


def test_a_request_that_is_not_counted_is_no_point_and_lies_on_the_time_line_all_the_same() -> None:
    requests = measured(("alpha",), rounds=3)
    requests[0] = replace(requests[0], phase=Phase.WARMUP)
    requests[1] = request(2, trace(10, begun_ms=500, outcome=Outcome.STALLED), round_=2)

    made = page(run_of("alpha"), requests)

    assert [text for text in made.texts if text.startswith("request 1: ")] == []
    assert [text for text in made.texts if text.startswith("request 2: ")] == []
    assert {"request aside", "request failed", "request done"} <= {
        group.get("class") for group in made.of("g")
    }


def test_every_drawing_has_a_title_and_its_numbers_in_words() -> None:
    html = run_html([(run_of("alpha", "beta"), measured(), ())])

    drawings = re.findall(
        r'<svg width="100%"[^>]*>(<title[^>]*>[^<]+</title>)(<desc[^>]*>[^<]+</desc>)', html
    )

    assert len(drawings) == html.count('role="img"')
    assert any("median 10" in desc and "n=4" in desc for _, desc in drawings)


def test_a_stall_is_marked_in_the_ribbon_with_its_value() -> None:
    made = page(run_of("alpha"), [request(1, trace(10, 10, 400, 10))])

    assert "5 chunks; token gaps: median 10.0 ms, max 400 ms (n=4); 1 stall of 400 ms in all" in made.text
    ribbon = {
        attributes["class"]: attributes["d"] or "" for attributes in made.of("path") if "class" in attributes
    }
    assert ribbon["stall"].count("M") == 1
    assert ribbon["stall"].startswith("M3 ")
    assert ribbon["g2"].count("M") == 3
    assert ribbon["first"].startswith("M0 ")
    assert made.texts.count(SVG_SIGNS) == 1


def test_chunks_of_one_read_and_reasoning_have_cells_of_their_own() -> None:
    made_trace = trace(10, 0, 10)
    chunks = [replace(chunk, kind=ChunkKind.REASONING) for chunk in made_trace.chunks]
    chunks[2] = replace(chunks[2], read=2)

    made = page(run_of("alpha"), [request(1, replace(made_trace, chunks=tuple(chunks)))])

    ribbon = {
        attributes["class"]: attributes["d"] or "" for attributes in made.of("path") if "class" in attributes
    }
    assert ribbon["same"].startswith("M2 ")
    assert ribbon["thought"].count("M") == 4
    assert "1 in one read with the chunk before" in made.text


def test_outliers_are_marked_with_their_cause_in_chart_and_table() -> None:
    requests = [request(n, trace(*[10] * 5, begun_ms=n * 900), round_=n) for n in range(1, 9)]
    requests[5] = request(6, trace(10, 10, 500, 10, 10, begun_ms=6 * 900), round_=6)

    made = page(run_of("alpha"), requests)

    assert [row.get("class") for row in made.of("tr")].count("out") == 1
    assert "stands out: it halted in the middle" in made.texts
    assert "point out" in [group.get("class") for group in made.of("g")]


def test_several_runs_stand_on_one_page_one_after_another() -> None:
    first, second = run_of("alpha"), replace(run_of("beta"), id="b2", name="run <two>")

    made = page_of(run_html([(first, measured(("alpha",)), ()), (second, measured(("beta",)), ())]))

    assert [attributes.get("id") for attributes in made.of("article")] == ["r1", "r2"]
    assert len(made.ids) == len(set(made.ids))
    assert "run <two>" in made.texts


def test_the_same_answer_stands_there_once_with_the_requests_that_gave_it() -> None:
    made = page(run_of("alpha"), measured(("alpha",), rounds=3))

    assert "alpha, prompt p1: 3 answers, 1 different" in made.texts
    assert "requests 1, 2, 3" in made.texts
    assert made.texts.count("word " * 7) == 1


def test_a_very_large_run_is_drawn_in_bounds_and_says_what_was_left_out() -> None:
    requests = [
        request(n, trace(*[10] * 260, begun_ms=n * 4000, first_ms=90 + n % 7), round_=n)
        for n in range(1, 401)
    ]
    resources = tuple(
        ResourceReading(at_ns=n * 100 * MS, rss_bytes=(n % 50) << 20, cpu_share=1.0) for n in range(17_000)
    )

    html = run_html([(run_of("alpha"), requests, resources)])

    made = page_of(html)
    assert len(html) < 1_500_000
    assert "Of a model with more than 300 requests that many are drawn" in made.text
    assert "of 400 answers are drawn" in made.text
    assert "Of an answer with more than 240 chunks a cell is the longest of a few gaps in a row." in made.text
    assert len(made.of("circle")) < 2_000


def test_the_words_of_the_markdown_are_read_as_they_were_meant() -> None:
    title, part = parts_of(
        "# A \\*b\\*\n\n**Strong** words\nmore\n"
        "\n## C\n\n|X|Y\\|Z|\n|---|---|\n|a\\\\|b\\|c|\n\n- one\n- two\n"
    )

    assert title.title == "A *b*"
    assert [getattr(block, "text", None) for block in title.blocks] == ["Strong: words more"]
    table, bullets = part.blocks
    assert getattr(table, "header", None) == ("X", "Y|Z")
    assert getattr(table, "rows", None) == (("a\\", "b|c"),)
    assert getattr(bullets, "items", None) == ("one", "two")
