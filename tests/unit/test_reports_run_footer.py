"""What stands at the foot of every report."""

from dataclasses import replace

from foundry_tui.domain.bench import ModelRun
from foundry_tui.reports.run_footer import environment_facts, measuring_notes, own_error_lines
from foundry_tui.reports.run_markdown import run_markdown
from foundry_tui.reports.run_matching import Across, Side, differences
from tests.support.runs import a_request, a_run

OWN_ERROR = (
    ("own_error_measured", "2026-01-01T00:00:00.000Z, foundry-tui 1.2"),
    ("own_error_idle_even", "TTFT p50 0.2 ms"),
    ("own_error_drawing", "not measured"),
)


def test_our_own_error_is_told_line_by_line_and_is_not_part_of_the_environment() -> None:
    run = replace(a_run(), environment=(("os", "Linux"), *OWN_ERROR))

    lines = own_error_lines(run)

    assert lines == (
        "own error, measured: 2026-01-01T00:00:00.000Z, foundry-tui 1.2",
        "own error, idle, even: TTFT p50 0.2 ms",
        "own error, drawing: not measured",
    )
    assert environment_facts(run) == (("os", "Linux"),)


def test_what_was_not_measured_is_said_with_the_way_to_measure_it() -> None:
    assert own_error_lines(a_run()) == ("own error not measured: foundry-tui selftest does it",)


def test_an_imported_own_error_is_made_harmless() -> None:
    run = replace(a_run(), environment=(("own_error_\x1b[31m", "a\nb\x1b]8;;x\x07"),))

    (line,) = own_error_lines(run)

    assert not any(sign in line for sign in "\x1b\x07\n")


def test_the_foot_tells_the_largest_delay_of_the_measuring_process() -> None:
    late = a_request()
    requests = [late, replace(late, number=2, trace=replace(late.trace, delay_p99_ns=1_500_000))]

    notes = dict(measuring_notes(a_run(), requests))

    assert notes["that process's own delay, p99"] == "1.50 ms"
    assert notes["path"] == "our own runtime"


def test_a_markdown_report_ends_with_our_own_error() -> None:
    known = run_markdown(replace(a_run(), environment=OWN_ERROR), [a_request()])
    unknown = run_markdown(a_run(), [a_request()])

    assert known.index("own error, idle, even") > known.index("## How well this was measured")
    assert known.count("TTFT p50 0.2 ms") == 1
    assert "own error not measured: foundry-tui selftest does it" in unknown


def test_runs_with_other_own_errors_can_be_compared() -> None:
    before = replace(a_run("a1"), environment=(("cpu", "fast"), *OWN_ERROR))
    after = replace(a_run("b1"), environment=(("cpu", "fast"), ("own_error_idle_even", "TTFT p50 9 ms")))
    model = ModelRun(model="alpha")

    found = differences(Side(run=before, model=model), Side(run=after, model=model), Across.RUN)

    assert found == ()
