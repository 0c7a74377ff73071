"""``foundry-tui models remove`` and ``models verify``: models off the disk, and their files checked."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial

from foundry_tui.cli.exit_codes import ExitCode, code_of
from foundry_tui.cli.groups import AddAction
from foundry_tui.cli.output import complain, print_json, print_text, say
from foundry_tui.cli.progress import ProgressLine, following, share_line
from foundry_tui.domain.downloads import Partial
from foundry_tui.domain.errors import BadInput, FoundryTuiError, ModelRefused, NotSupported
from foundry_tui.domain.health import HealthState, ModelHealth
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.cache import check_words, health_object, problem_lines, summary_words
from foundry_tui.services.cache.health import HealthProgress
from foundry_tui.services.cache.removing import remove_model
from foundry_tui.services.model_care import ModelCare
from foundry_tui.services.opened import Services

__all__ = ["VERIFICATION_SCHEMA", "add_actions"]

VERIFICATION_SCHEMA = "foundry-tui/verification@1"
_MARKS = {HealthState.SOUND: "ok  ", HealthState.DAMAGED: "FAIL", HealthState.UNKNOWN: "????"}


def add_actions(action: AddAction) -> None:
    """Add them to ``models``; ``action`` makes the parser of one from name, words and example."""
    remove = action(
        "remove",
        "take downloaded models, or what is here of unfinished downloads, off this disk",
        "remove phi-4-mini-generic-cpu:3",
    )
    remove.add_argument("models", metavar="ID", nargs="+", help="variant id or alias")
    remove.set_defaults(run=_remove)

    verify = action(
        "verify",
        "read all files of models and compare them with what was downloaded; exit code 1 if one is damaged",
        "verify phi-4-mini-generic-cpu:3",
    )
    verify.add_argument(
        "models", metavar="ID", nargs="*", help="variant id or alias; none: all on this machine"
    )
    verify.add_argument("--json", action="store_true", help="one JSON object on stdout")
    verify.set_defaults(run=_verify)


async def _remove(arguments: argparse.Namespace) -> int:
    async with _opened(arguments) as services:
        care = _care(services)
        partials = await asyncio.to_thread(care.runner.partials)
        wanted = list(dict.fromkeys([_found(services, name, partials) for name in arguments.models]))
        # All that can be refused is refused before anything is gone.
        for one in wanted:
            if isinstance(one, Partial):
                if one.is_locked:
                    raise ModelRefused(
                        f"a process is at work on {one.model_id}", remedy="end that download first"
                    )
            else:
                await care.cache.frees(one.id)
        code = ExitCode.DONE
        for one in wanted:
            name = clean_line((one.model_id or one.path) if isinstance(one, Partial) else one.id)
            try:
                freed = await _take_off(services, care, one)
            except FoundryTuiError as error:
                complain(error)
                code = code_of(error)
            else:
                print_text(f"{name} removed: {bytes_in_words(freed)} became free")
    return code


async def _verify(arguments: argparse.Namespace) -> int:
    async with _opened(arguments) as services:
        care = _care(services)
        if arguments.models:
            models = list(dict.fromkeys([_here(services, name) for name in arguments.models]))
        else:
            models = [one for one in services.client.catalog.value.models if one.is_cached and one.path]
        results: list[ModelHealth] = []
        width = max((len(clean_line(model.id)) for model in models), default=0)
        for place, model in enumerate(models, start=1):
            words = partial(_words, model=model, place=place, count=len(models))
            async with following(ProgressLine(tells_at_once=False), care.health.progress, words):
                result = await care.health.check(model.id, is_deep=True)
            results.append(result)
            if not arguments.json:
                print_text(
                    f"{_MARKS[result.state]}  {clean_line(model.id).ljust(width)}  {check_words(result)}"
                )
            for line in problem_lines(result)[1:]:
                say(f"  {clean_line(model.id)}: {line}")
    if arguments.json:
        is_sound = all(one.state is HealthState.SOUND for one in results)
        models_json = [health_object(one) for one in results]
        print_json({"schema": VERIFICATION_SCHEMA, "sound": is_sound, "models": models_json})
    say(summary_words(results) if results else "no models are on this machine")
    damaged = [one.model_id for one in results if one.state is HealthState.DAMAGED]
    if damaged:
        ids = " ".join(clean_line(name) for name in damaged)
        say(f"  → foundry-tui models pull {ids} repairs what was downloaded")
    return ExitCode.DONE if all(one.state is HealthState.SOUND for one in results) else ExitCode.FAILED


@asynccontextmanager
async def _opened(arguments: argparse.Namespace) -> AsyncGenerator[Services, None]:
    # Late: that module adds these actions to its own.
    from foundry_tui.cli.models import opened

    async with opened(arguments) as services:
        # What is on this machine is known without the network.
        await services.client.refresh(public=False)
        yield services


def _care(services: Services) -> ModelCare:
    if services.care is None:
        raise NotSupported(
            "the models lie on the server's own disk: nothing here can be done to them",
            remedy="leave out --endpoint, or do it on that machine",
        )
    return services.care


def _found(services: Services, name: str, partials: Sequence[Partial]) -> ModelVariant | Partial:
    """The model of that name, or what is here of its unfinished download."""
    left = {partial.model_id: partial for partial in partials}
    known = services.client.catalog.value.find(name)
    if (known is None or not known.is_cached) and name in left:
        return left[name]
    model = services.client.find(name)
    return left[model.id] if not model.is_cached and model.id in left else model


def _here(services: Services, name: str) -> ModelVariant:
    model = services.client.find(name)
    if not model.is_cached or model.path is None:
        raise BadInput(
            f"{clean_line(model.id)} is not on this machine: there is nothing to check",
            remedy="foundry-tui models list --cached shows what is",
        )
    return model


async def _take_off(services: Services, care: ModelCare, one: ModelVariant | Partial) -> int:
    if isinstance(one, Partial):
        return await asyncio.to_thread(care.runner.remove_partial, one.path)
    return await remove_model(services.client, care.cache, one.id)


def _words(progress: HealthProgress | None, model: ModelVariant, place: int, count: int) -> str | None:
    if progress is None:
        return None
    return f"{place}/{count} {share_line(progress.done_bytes, progress.total_bytes)}  {clean_line(model.id)}"
