"""Runs as files, by format."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import PurePath
from types import MappingProxyType
from typing import assert_never

from foundry_tui.cli.run_ids import WholeRun
from foundry_tui.domain.errors import BadInput
from foundry_tui.metrics.run_context import RunContext
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_csv import requests_csv
from foundry_tui.reports.run_markdown import run_markdown

__all__ = ["RunFormat", "format_of", "run_file"]


class RunFormat(StrEnum):
    """How a run is written."""

    JSON = "json"
    MARKDOWN = "md"
    CSV = "csv"
    HTML = "html"


def format_of(given: str | None, path: str | None, *, default: RunFormat = RunFormat.JSON) -> RunFormat:
    """The format that was named, else as ``path`` ends, else ``default``.

    Raises:
        BadInput: The path ends like none of them.
    """
    if given is not None:
        return RunFormat(given)
    if path is None:
        return default
    end = PurePath(path).suffix.removeprefix(".").casefold()
    for each in RunFormat:
        if end == each.value:
            return each
    names = ", ".join(f".{each.value}" for each in RunFormat)
    raise BadInput(f"the format of {path} is not clear", remedy=f"let it end in {names}, or give --format")


def run_file(
    runs: Sequence[WholeRun],
    file_format: RunFormat,
    context: Mapping[str, RunContext] = MappingProxyType({}),
) -> str:
    """One run as it is; several as a list of them, below each other, in one table or on one page.

    Args:
        runs: At least one.
        file_format: How they are written.
        context: By run what is known of it from elsewhere.
    """
    match file_format:
        case RunFormat.JSON:
            objects = [
                results_object(run, requests, resources, context.get(run.id, RunContext()))
                for run, requests, resources in runs
            ]
            return results_json(objects[0]) if len(objects) == 1 else f"{json.dumps(objects)}\n"
        case RunFormat.MARKDOWN:
            return "\n---\n\n".join(
                run_markdown(run, requests, context.get(run.id, RunContext())) for run, requests, _ in runs
            )
        case RunFormat.CSV:
            tables = [requests_csv(run, requests) for run, requests, _ in runs]
            return tables[0] + "".join(table.partition("\n")[2] for table in tables[1:])
        case RunFormat.HTML:
            from foundry_tui.reports.run_html import run_html  # late: few commands draw

            return run_html(runs, context)
        case _:
            assert_never(file_format)
