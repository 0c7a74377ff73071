"""Quality and the six dimensions in the reports of a run: Markdown, the page with its chart, results."""

import json
from dataclasses import replace

import jsonschema
import pytest

from foundry_tui.config.schema import json_schema
from foundry_tui.domain.bench import ModelRun, Order, RequestRun, Run
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_html import run_html
from foundry_tui.reports.run_markdown import run_markdown
from tests.support.choices import a_run_quality, all_scored
from tests.support.hostile import CORPUS, Payload, harm_in
from tests.support.pages import page_of
from tests.support.runs import a_request, a_run

FACTS = (("device", "cpu"), ("license", "MIT"), ("disk_bytes", "1048576"))


def measured(*names: str) -> Run:
    """A run of these models, named ``a`` and ``b`` unless others are given."""
    models = names or ("a", "b")
    run = a_run(
        "run", models=tuple(ModelRun(model=name, model_id=f"{name}-cpu:1", facts=FACTS) for name in models)
    )
    return replace(run, plan=replace(run.plan, models=models, order=Order.BLOCKED))


def answers(*names: str) -> list[RequestRun]:
    """Of each model an answer of 60 ms to each of eight prompts; each takes four times the memory."""
    return [
        replace(
            a_request(8 * place + n, model=name),
            round=1,
            prompt_id=f"p{n}",
            peak_rss_bytes=(1 << 30) * 4**place,
        )
        for place, name in enumerate(names or ("a", "b"))
        for n in range(1, 9)
    ]


MADE = answers()
# The first one is scored in all, 3 and 5 in turn; the other one not at all.
SCORES = [one for n in range(8) for one in all_scored([MADE[n]], 5 if n % 2 else 3)]
SCORED = a_run_quality(measured(), MADE, SCORES)
UNSCORED = a_run_quality(measured(), MADE, [])


def test_the_markdown_has_means_with_intervals_and_how_much_is_scored() -> None:
    text = run_markdown(measured(), MADE, RunContext(quality=SCORED))

    section = text.partition("## Quality\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert rows[0] == "|Model|Criterion|Mean|95 %|Scored|Prompts|"
    assert rows[4].startswith("|a|all|4.00|\\[3.")
    assert rows[4].endswith("|8 of 8|8|")
    assert rows[-1] == "|b|all|n/a|n/a|0 of 8|0|"
    assert "a good answer takes 120 ms" in section


def test_the_markdown_has_a_row_with_the_six_dimensions_for_each_model() -> None:
    text = run_markdown(measured(), MADE, RunContext(quality=SCORED))

    section = text.partition("## Six dimensions to choose by\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    assert rows[0] == "||Model|Latency|Throughput|Memory|Quality|Footprint|License|Good answer in|"
    assert rows[2].startswith("|A|a-cpu:1|60.0 ms")
    assert "|1.00 GiB|4.00 \\[3." in rows[2]
    assert rows[3].startswith("|B|b-cpu:1|60.0 ms")
    assert rows[3].endswith("|4.00 GiB|n/a|1.00 MiB|MIT|n/a|")
    assert "|A|4.00|60.0 ms|1.00 GiB|" in rows
    assert "- not scored: B" in section


def test_what_is_not_scored_has_no_section_of_quality_and_what_nobody_asked_for_none_at_all() -> None:
    unscored, plain = (
        run_markdown(measured(), MADE, RunContext(quality=UNSCORED)),
        run_markdown(measured(), MADE),
    )

    assert "## Quality" not in unscored
    assert "## Six dimensions" in unscored
    assert "## Six dimensions" not in plain


def test_the_page_draws_a_bubble_for_each_model_that_is_scored() -> None:
    html = run_html([(measured(), MADE, ())], {"run": RunContext(quality=SCORED)})

    assert html.count('class="bubble"') == 1
    assert "A a-cpu:1: quality 4.00, latency 60.0 ms, memory 1.00 GiB" in html
    assert "Not scored: B." in page_of(html).texts
    assert "<h2>Quality</h2>" in html
    assert (
        "bubble"
        not in run_html([(measured(), MADE, ())], {"run": RunContext(quality=UNSCORED)}).partition(
            "</style>"
        )[2]
    )


def test_the_area_of_a_bubble_goes_with_memory() -> None:
    both = a_run_quality(measured(), MADE, all_scored(MADE, 4))

    html = run_html([(measured(), MADE, ())], {"run": RunContext(quality=both)})

    radii = [float(part.split('"')[0]) for part in html.split(' r="')[1:] if 'class="bubble"' in html]
    assert {11.0, 22.0} <= set(radii)


def test_the_same_scores_give_the_same_page() -> None:
    pages = {run_html([(measured(), MADE, ())], {"run": RunContext(quality=SCORED)}) for _ in range(2)}

    assert len(pages) == 1


def test_the_results_have_the_quality_of_what_is_scored_and_null_for_the_rest() -> None:
    content = json.loads(results_json(results_object(measured(), MADE, (), RunContext(quality=SCORED))))

    jsonschema.validate(content, json_schema("results"))
    scored, unscored = content["summary"]
    assert scored["quality"]["overall"]["mean"] == 4.0
    assert (scored["quality"]["overall"]["answers"], scored["quality"]["overall"]["scorable"]) == (8, 8)
    assert scored["quality"]["time_to_good"]["seconds"] == pytest.approx(0.12)
    assert unscored["quality"] is None
    without = json.loads(results_json(results_object(measured(), MADE)))
    assert [entry["quality"] for entry in without["summary"]] == [None, None]
    # Where it stands does not change with it.
    assert list(without["summary"][0]) == list(scored)


@pytest.mark.parametrize("payload", CORPUS[::20], ids=lambda payload: str(payload.name))
def test_hostile_names_are_harmless(payload: Payload) -> None:
    name = payload.text or "x"
    run, made = measured(name, "b"), answers(name, "b")
    quality = a_run_quality(run, made, all_scored(made, 4))

    markdown = run_markdown(run, made, RunContext(quality=quality))
    html = run_html([(run, made, ())], {"run": RunContext(quality=quality)})

    assert set().union(*map(harm_in, markdown.split("\n"))) == set()
    assert page_of(html).of("script") == []
    assert page_of(html).unclosed == []
