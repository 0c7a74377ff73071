"""``foundry-tui schema NAME``: JSON Schema of each file and each ``--json`` output."""

import argparse

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.options import add_common
from foundry_tui.cli.output import print_json

__all__ = ["add_commands"]

_NAMES = (
    "models",
    "prompts",
    "plan",
    "results",
    "run-list",
    "run-history",
    "bench-plan",
    "selftest",
    "comparison",
    "choice",
    "quality",
    "agreement",
    "judge",
    "checks",
    "rubric",
    "settings",
    "model-list",
    "conversation",
    "conversation-list",
    "doctor",
    "validation",
    "verification",
)


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``schema``."""
    schema = commands.add_parser(
        "schema",
        description="Print the JSON Schema of a file that you can edit, or of what a command prints.",
        epilog="example: foundry-tui schema prompts > prompts.schema.json",
    )
    add_common(schema, top=False)
    schema.add_argument("name", choices=_NAMES)
    schema.set_defaults(run=_schema)


async def _schema(arguments: argparse.Namespace) -> int:
    from foundry_tui.config.schema import json_schema

    print_json(json_schema(arguments.name))
    return ExitCode.DONE
