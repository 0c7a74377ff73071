"""What is known of a model, for every front end alike."""

from dataclasses import replace

import pytest

from foundry_tui.domain.models import CatalogKind, Device, LoadReport, ModelVariant
from foundry_tui.reports.facts import Fact
from foundry_tui.reports.models import (
    JOBS,
    ModelState,
    comparison,
    load_words,
    model_facts,
    model_state,
)
from foundry_tui.services.client import JobKind

PLAIN = ModelVariant(id="a:1", alias="a", catalog=CatalogKind.LOCAL)
LOADED = LoadReport(model_id="a:1", load_ns=2_500_000_000, was_loaded=False)


def known(model: ModelVariant, report: LoadReport | None = None) -> dict[str, Fact]:
    return {fact.label: fact for fact in model_facts(model, report, state=model_state(model))}


def test_what_nobody_says_is_not_known() -> None:
    facts = known(PLAIN)

    said = {label: fact.value for label, fact in facts.items() if fact.value is not None}
    assert said == {"Id": "a:1", "Alias": "a", "From": "a folder of yours"}
    assert not {"Problem", "Last load", "Licence text"} & facts.keys()


def test_everything_that_is_said_is_told_with_its_unit() -> None:
    model = replace(
        PLAIN,
        device=Device.NPU,
        context_tokens=131_072,
        advertised_context_tokens=4096,
        max_output_tokens=512,
        size_bytes=2 * 1024**3,
        capabilities=("tools", "vision"),
        problem="it is torn",
        license_text="Do what you like.",
    )

    facts = known(model, LOADED)

    assert [(label, fact.value) for label, fact in facts.items() if fact.value is not None] == [
        ("Id", "a:1"),
        ("Alias", "a"),
        ("From", "a folder of yours"),
        ("Device", "npu"),
        ("Context", "131,072 tokens (the catalog says 4,096)"),
        ("Longest answer", "512 tokens"),
        ("Can", "tools, vision"),
        ("Download size", "2.00 GiB"),
        ("State", "problem"),
        ("Problem", "it is torn"),
        ("Last load", "2.50 s"),
        ("Licence text", "Do what you like."),
    ]


def test_texts_of_others_are_harmless_and_marked_as_theirs() -> None:
    model = replace(PLAIN, publisher="\x1b]8;;http://a\x07\nLab", license="x" * 100_000, path="/kept for 5 s")

    facts = known(model)

    assert facts["Publisher"] == Fact("Publisher", "␛]8;;http://a␇ Lab", is_quoted=True)
    assert len(facts["Licence"].value or "") == 2_000
    assert facts["Folder"].is_quoted
    assert not facts["From"].is_quoted


@pytest.mark.parametrize(
    ("model", "state"),
    [
        (PLAIN, None),
        (replace(PLAIN, is_cached=False), ModelState.ELSEWHERE),
        (replace(PLAIN, is_cached=True), ModelState.ON_DISK),
        (replace(PLAIN, is_cached=True, is_loaded=True), ModelState.LOADED),
        (replace(PLAIN, is_loaded=True), ModelState.LOADED),
        (replace(PLAIN, is_cached=True, is_loaded=True, problem="torn"), ModelState.PROBLEM),
    ],
)
def test_the_state_is_the_most_that_is_known(model: ModelVariant, state: ModelState | None) -> None:
    assert model_state(model) is state


def test_a_load_is_told_with_its_time_and_memory() -> None:
    measured = replace(LOADED, rss_before_bytes=1024**3, rss_after_bytes=3 * 1024**3)

    assert [load_words(report) for report in (LOADED, measured, replace(LOADED, was_loaded=True))] == [
        "a:1 loaded in 2.50 s",
        "a:1 loaded in 2.50 s, memory +2.00 GiB to 3.00 GiB",
        "a:1 was loaded already",
    ]
    assert load_words(replace(LOADED, model_id="a\x1b[2J")) == "a␛[2J loaded in 2.50 s"


def test_models_differ_where_their_facts_do() -> None:
    other = replace(PLAIN, id="b:1", context_tokens=32_768)
    again = LoadReport(model_id="a:1", load_ns=1_000, was_loaded=True)

    rows = {
        row.label: row
        for row in comparison(
            [model_facts(PLAIN, again, state=None), model_facts(other, LOADED, state=None)],
        )
    }

    assert [fact.value for fact in rows["Last load"].facts] == [None, "2.50 s"]
    assert [fact.value for fact in rows["Context"].facts] == [None, "32,768 tokens"]
    assert rows["Context"].differs
    assert not rows["From"].differs
    assert {"Size", "Provider"} <= rows.keys()
    assert not {"Id", "Folder", "Problem"} & rows.keys()


def test_what_only_one_of_the_models_has_is_compared_too() -> None:
    torn = replace(PLAIN, problem="its tokenizer is missing")

    rows = comparison([model_facts(model, None, state=None) for model in (torn, PLAIN)])

    assert rows[-1].label == "Problem"
    assert [fact.value for fact in rows[-1].facts] == ["its tokenizer is missing", "none"]


def test_every_fact_that_is_compared_is_one_of_a_model() -> None:
    told = replace(PLAIN, problem="torn", unavailable="needs a GPU")
    facts = model_facts(told, LOADED, state=None)

    assert len(comparison([facts, facts])) == 17


def test_every_kind_of_job_has_words() -> None:
    assert JOBS.keys() == set(JobKind)
