"""Runs as files, by format."""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePath
from typing import TypeAlias, assert_never

from foundry_tui.domain.bench import RequestRun, Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.reports.results import results_json, results_object
from foundry_tui.reports.run_csv import requests_csv
from foundry_tui.reports.run_markdown import run_markdown

__all__ = ["RunFormat", "RunWithRequests", "format_of", "run_file"]

RunWithRequests: TypeAlias = tuple[Run, Sequence[RequestRun]]


class RunFormat(StrEnum):
    """How a run is written."""

    JSON = "json"
    MARKDOWN = "md"
    CSV = "csv"


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


def run_file(runs: Sequence[RunWithRequests], file_format: RunFormat) -> str:
    """One run as it is; several as a list of them, below each other, or in one table."""
    match file_format:
        case RunFormat.JSON:
            objects = [results_object(run, requests) for run, requests in runs]
            return results_json(objects[0]) if len(objects) == 1 else f"{json.dumps(objects)}\n"
        case RunFormat.MARKDOWN:
            return "\n---\n\n".join(run_markdown(run, requests) for run, requests in runs)
        case RunFormat.CSV:
            tables = [requests_csv(run, requests) for run, requests in runs]
            return tables[0] + "".join(table.partition("\n")[2] for table in tables[1:])
        case _:
            assert_never(file_format)
