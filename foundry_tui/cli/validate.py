"""``foundry-tui validate``: every target model is listed, cached, loads and answers; one line each."""

import argparse
from collections.abc import Sequence

from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.models import opened
from foundry_tui.cli.options import add_common
from foundry_tui.cli.output import print_json, print_text, say
from foundry_tui.config.locate import config_folders, find_file
from foundry_tui.config.models_file import load_models
from foundry_tui.config.prompt_sets import load_prompt_sets
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line
from foundry_tui.services.validation import ModelValidation, Validation, Verdict

__all__ = ["VALIDATION_SCHEMA", "add_commands"]

VALIDATION_SCHEMA = "foundry-tui/validation@1"


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``validate``."""
    validate = commands.add_parser(
        "validate",
        description="Check every model of models.json, or of --models: it is listed, cached, loads and"
        " answers a probe chat. One line each; exit code 1 if one fails. What was loaded before is loaded"
        " afterwards. Without --models the sets of prompts are read first, and a bad one is named.",
        epilog="example: foundry-tui validate --models qwen2.5-0.5b,phi-4-mini",
    )
    add_common(validate, top=False)
    validate.add_argument(
        "--models", metavar="A,B", type=_names, help="aliases or ids in place of those of models.json"
    )
    validate.add_argument("--json", action="store_true", help="one JSON object on stdout")
    validate.set_defaults(run=_validate)


async def _validate(arguments: argparse.Namespace) -> int:
    names = _targets(arguments)
    width = max(len(clean_line(name)) for name in names)
    done: list[ModelValidation] = []
    async with (
        opened(arguments) as services,
        Validation(services.client, services.setup.chat).running(names) as results,
    ):
        async for result in results:
            done.append(result)
            if not arguments.json:
                print_text(_line(result, width))
            for check in result.results:
                if check.verdict is Verdict.FAILED and check.remedy is not None:
                    say(f"  → {result.name}: {check.remedy}")
    if arguments.json:
        print_json(_report(done))
    failed = sum(not result.is_passed for result in done)
    say(f"{len(done) - failed} of {len(done)} models passed")
    return ExitCode.FAILED if failed else ExitCode.DONE


def _targets(arguments: argparse.Namespace) -> Sequence[str]:
    if arguments.models is not None:
        named: Sequence[str] = arguments.models
        return named
    folders = config_folders(arguments.config)
    # Before anything is loaded: it takes minutes, and what a benchmark would then ask could not be read.
    load_prompt_sets(folders)
    path = find_file("models.json", folders)
    names = [model.alias for model in load_models(path)]
    if not names:
        raise BadInput(f"{path} names no models", remedy="add some, or name them with --models A,B")
    return names


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("name at least one model, several with commas between them")
    return list(dict.fromkeys(names))


def _line(result: ModelValidation, width: int) -> str:
    mark = "ok  " if result.is_passed else "FAIL"
    return f"{mark}  {clean_line(result.name).ljust(width)}  {clean_line(result.summary)}"


def _report(done: Sequence[ModelValidation]) -> dict[str, object]:
    return {
        "schema": VALIDATION_SCHEMA,
        "passed": all(result.is_passed for result in done),
        "models": [
            {
                "name": result.name,
                "model_id": result.model_id,
                "passed": result.is_passed,
                "load_ns": result.load_ns,
                "first_text_ns": result.first_text_ns,
                "checks": {
                    check.check.value: {
                        "result": check.verdict.value,
                        "detail": check.detail,
                        "remedy": check.remedy,
                    }
                    for check in result.results
                },
            }
            for result in done
        ],
    }
