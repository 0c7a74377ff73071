"""Runs as a page with charts, by ``report``, ``runs export`` and ``bench --out``."""

from dataclasses import replace
from pathlib import Path

from foundry_tui.domain.bench import ResourceReading, Run
from foundry_tui.reports.results import results_json, results_object
from tests.cli.program import one_process, run_async
from tests.support.bench_schedules import PROMPT, good_model
from tests.support.endpoint import Setting, scripted_endpoint
from tests.support.pages import page_of
from tests.support.runs import a_request, a_run

MS = 1_000_000
RESOURCES = tuple(ResourceReading(at_ns=n * MS, rss_bytes=300_000_000 + n) for n in range(60))


def file_of(run: Run, folder: Path) -> str:
    """A results file of ``run`` with one request."""
    path = folder / f"{run.id}.json"
    path.write_text(results_json(results_object(run, [a_request()], RESOURCES)))
    return str(path)


def test_runs_become_one_page_on_stdout_or_in_a_file_with_what_was_read_of_the_machine(
    tmp_path: Path,
) -> None:
    older = replace(a_run("a1"), name="<b>older</b>")
    newer = a_run("b2", started_unix_ms=2_000)
    page, exported = tmp_path / "page.html", tmp_path / "exported.html"

    ends = one_process(
        [
            ("runs", "import", file_of(older, tmp_path), file_of(newer, tmp_path)),
            ("report", "a1", "--format", "html"),
            ("report", "b2", "a1", "--output", str(page)),
            ("report", "b2", "--output", str(page)),
            ("runs", "export", "a1", "--output", str(exported)),
        ],
        data_dir=tmp_path / "data",
    )

    taken, shown, written, refused, out = ends
    assert [end.code for end in (taken, shown, written, refused, out)] == [0, 0, 0, 2, 0]
    assert "Benchmark: <b>older</b>" in page_of(shown.out).texts
    assert "286 MiB at most; the axis begins at 0" in page_of(shown.out).texts
    assert len(page_of(page.read_text(encoding="utf-8")).of("article")) == 2
    assert exported.read_text(encoding="utf-8") == shown.out
    assert "exists already" in refused.err


async def test_a_benchmark_leaves_a_page_beside_its_other_files(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    async with scripted_endpoint(good_model, Setting(models=("a",))) as endpoint:
        arguments = (
            "bench",
            "--endpoint",
            endpoint.url,
            "--prompt",
            PROMPT,
            "--rounds",
            "1",
            "--models",
            "a",
        )

        end = await run_async(*arguments, "--out", str(folder), data_dir=tmp_path / "data")
        again = await run_async(*arguments, "--out", str(folder), data_dir=tmp_path / "data")

    page = page_of((folder / "benchmark_report.html").read_text(encoding="utf-8"))
    assert (end.code, page.unclosed) == (0, [])
    assert "benchmark_report.html" in end.err
    assert "Requests over time, and what the engine took" in page.texts
    assert (again.code, "exists already" in again.err) == (2, True)
