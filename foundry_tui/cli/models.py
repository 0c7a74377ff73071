"""``foundry-tui models …``: the catalog, what is loaded, and models of one's own."""

import argparse
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from foundry_tui.bootstrap import open_services
from foundry_tui.cli import models_cache, models_pick, models_pull
from foundry_tui.cli.exit_codes import ExitCode
from foundry_tui.cli.groups import add_group
from foundry_tui.cli.options import launch_options
from foundry_tui.cli.output import complain, print_json, print_table, print_text, say
from foundry_tui.domain.engine import EndpointKind, EngineInfo
from foundry_tui.domain.errors import BadInput, FoundryTuiError, ModelRefused, NotSupported
from foundry_tui.domain.model_filter import ModelFilter, download_or_disk_bytes, parse_filter
from foundry_tui.domain.models import CatalogSnapshot, Device, ModelVariant, Registration
from foundry_tui.domain.quantities import bytes_in_words, count_in_words
from foundry_tui.launching import resolve
from foundry_tui.metrics.fit import Fit
from foundry_tui.reports.catalogs import missing_lines, source_object
from foundry_tui.reports.engine import warnings_of
from foundry_tui.reports.fit import fit_facts, fit_object
from foundry_tui.reports.models import ModelState, load_words, model_state
from foundry_tui.reports.prediction_words import prediction_facts
from foundry_tui.services.opened import Services

__all__ = [
    "MODEL_LIST_SCHEMA",
    "add_commands",
    "find_model",
    "model_object",
    "need_here",
    "opened",
    "tell_notes",
]

MODEL_LIST_SCHEMA = "foundry-tui/model-list@1"
_HEADER = ("ID", "DEVICE", "SIZE", "CONTEXT", "TASK", "LICENSE", "STATE")


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``models`` and what is below it."""
    action = add_group(
        commands,
        "models",
        description="The catalog, what is loaded, and models of your own.",
        example="list --device cpu --json",
    )

    listing = action("list", "one row per variant", "list --filter 'phi size<4gb -vision'")
    listing.add_argument("--json", action="store_true", help="one JSON object on stdout")
    listing.add_argument("--cached", action="store_true", help="only what is on this machine")
    listing.add_argument("--loaded", action="store_true", help="only what is in memory")
    listing.add_argument(
        "--filter",
        metavar="TEXT",
        help="as in the app: words, license:mit, device:cpu,npu, size<2gb, context>=8k, cached, loaded, "
        "local; a minus before any of them excludes; where it comes first, write --filter=TEXT",
    )
    listing.add_argument("--task", metavar="T", help="only this task, such as chat-completion")
    listing.add_argument("--license", metavar="L", help="only where the licence has L")
    listing.add_argument("--device", choices=[device.value for device in Device], help="only this device")
    listing.set_defaults(run=_list)

    info = action("info", "everything known about one model", "info phi-4-mini --json")
    info.add_argument("model", metavar="ID", help="variant id or alias")
    info.add_argument("--json", action="store_true", help="one JSON object on stdout")
    info.set_defaults(run=_info)

    load = action(
        "load",
        "prove that a model loads; prints time and memory (on an endpoint it stays loaded)",
        "load qwen2.5-0.5b",
    )
    load.add_argument("model", metavar="ID", help="variant id or alias")
    load.add_argument(
        "--force", action="store_true", help="load it even where more memory would be in use than the limit"
    )
    load.set_defaults(run=_load)

    unload = action("unload", "unload a model on an endpoint", "unload ID --endpoint http://host:5273")
    unload.add_argument("model", metavar="ID", help="variant id or alias")
    unload.set_defaults(run=_unload)

    register = action(
        "register",
        "list a folder as a model of your own; it is neither copied nor changed",
        "register ./my-model --id my-model:1",
    )
    register.add_argument("folder", metavar="DIR", type=Path, help="folder with genai_config.json")
    register.add_argument("--id", required=True, metavar="NAME:VERSION", help="such as my-model:1")
    register.add_argument("--task", default="chat-completion", help="default: chat-completion")
    register.set_defaults(run=_register)

    unregister = action("unregister", "forget a registered folder; its files stay", "unregister my-model:1")
    unregister.add_argument("model", metavar="ID", help="id it was registered under")
    unregister.set_defaults(run=_unregister)

    models_pull.add_actions(action)
    models_cache.add_actions(action)
    models_pick.add_actions(action)


@asynccontextmanager
async def opened(arguments: argparse.Namespace) -> AsyncGenerator[Services, None]:
    """Services with their engine up.

    Raises:
        FoundryTuiError: It cannot be brought up.
    """
    async with open_services(resolve(launch_options(arguments))) as services:
        tell_notes(await services.client.start(), is_verbose=arguments.verbose)
        if services.care is not None:
            await services.care.recall()
        yield services


def tell_notes(info: EngineInfo, *, is_verbose: bool) -> None:
    """Say on stderr what the user should know of the engine; of our own only if more is to be told."""
    for note in info.notes if is_verbose else warnings_of(info):
        say(note)


async def _list(arguments: argparse.Namespace) -> int:
    wanted = _filter(arguments.filter)
    async with opened(arguments) as services:
        # What is on this machine is known without the network.
        only_here = arguments.cached or arguments.loaded
        snapshot = await services.client.refresh(public=False if only_here else None)
        models = [model for model in snapshot.models if wanted.matches(model) and _wanted(model, arguments)]
        fits = await services.client.memory.weigh_all(models) if arguments.json else {}
    for line in missing_lines(snapshot, time.time()):
        say(line)
    if arguments.json:
        print_json(_list_object(snapshot, models, fits))
        return ExitCode.DONE
    if models:
        out_of_reach = frozenset(n for n, model in enumerate(models) if model.unavailable is not None)
        print_table(_HEADER, map(_row, models), right=frozenset({2, 3}), dim=_dimmed(arguments, out_of_reach))
    else:
        say("no models match" if snapshot.models else "no models: see foundry-tui doctor")
    return ExitCode.DONE


async def _info(arguments: argparse.Namespace) -> int:
    async with opened(arguments) as services:
        model = await find_model(services, arguments.model)
        need = await services.client.memory.weigh(model)
        (expected,) = await services.bench.predictions.of([model])
    if arguments.json:
        print_json(model_object(model, need))
        return ExitCode.DONE
    for key, value in model_object(model, None).items():
        if key == "fit":
            continue
        words = "n/a" if value is None else ", ".join(value) if isinstance(value, list) else str(value)
        if key.endswith("_bytes") and isinstance(value, int):
            words = f"{words} ({bytes_in_words(value)})"
        print_text(f"{key}: {' '.join(words.split())}")
    for fact in (*fit_facts(need), *prediction_facts(expected)):
        print_text(f"{fact.label.lower().replace(' ', '_')}: {fact.value}")
    return ExitCode.DONE


async def _load(arguments: argparse.Namespace) -> int:
    async with opened(arguments) as services:
        model = await find_model(services, arguments.model)
        need_here(model)
        if not arguments.force and (question := await services.client.memory.question(model)) is not None:
            raise BadInput(question.words, remedy=f"{question.remedy}; --force loads it all the same")
        report = await services.client.load(model.id)
        stays = services.client.engine_info is not None and (
            services.client.engine_info.kind is not EndpointKind.MANAGED
        )
    print_text(load_words(report))
    if not report.was_loaded and not stays:
        say("it was unloaded again: with the managed runtime nothing stays loaded after a command")
    return ExitCode.DONE


async def _unload(arguments: argparse.Namespace) -> int:
    async with opened(arguments) as services:
        info = services.client.engine_info
        if info is not None and info.kind is EndpointKind.MANAGED:
            raise NotSupported(
                "with the managed runtime nothing stays loaded after a command: there is nothing to unload",
                remedy="name a server with --endpoint, or unload in the app",
            )
        model = await find_model(services, arguments.model)
        await services.client.unload(model.id)
    print_text(f"{model.id} unloaded")
    return ExitCode.DONE


async def _register(arguments: argparse.Namespace) -> int:
    registration = Registration(
        path=str(arguments.folder.expanduser().resolve()), model_id=arguments.id, task=arguments.task
    )
    async with opened(arguments) as services:
        try:
            model = await services.client.register(registration)
        except ModelRefused as error:
            return _refused(error)
    print_text(f"{model.id} registered for {model.path}")
    return ExitCode.DONE


async def _unregister(arguments: argparse.Namespace) -> int:
    async with opened(arguments) as services:
        await services.client.unregister(arguments.model)
    print_text(f"{arguments.model} unregistered; its files stay")
    return ExitCode.DONE


async def find_model(services: Services, name: str) -> ModelVariant:
    """The model of that name; the network is asked only if what is here does not know it.

    Raises:
        ModelNotFound: With names that are close.
    """
    if services.client.catalog.value.find(name) is None:
        await services.client.refresh()
    return services.client.find(name)


def need_here(model: ModelVariant) -> None:
    """Refuse at once what the runtime would look for on the network first, only to refuse it then.

    Raises:
        ModelRefused: Its files are not on this machine.
    """
    if model.is_cached is False:
        raise ModelRefused(
            f"{model.id} is not on this machine: {model.problem or 'it was not downloaded'}",
            remedy="foundry-tui models list --cached shows what is",
        )


def _refused(error: FoundryTuiError) -> int:
    complain(error)
    return ExitCode.USAGE  # the folder or the id given is the bad input


def _filter(text: str | None) -> ModelFilter:
    wanted = parse_filter(text or "")
    for problem in wanted.problems:
        raise BadInput(
            f"--filter, character {problem.at + 1}: “{problem.part}”: {problem.reason}",
            remedy=f"try {problem.accepted}",
        )
    return wanted


def _wanted(model: ModelVariant, arguments: argparse.Namespace) -> bool:
    return (
        (not arguments.cached or bool(model.is_cached))
        and (not arguments.loaded or bool(model.is_loaded))
        and (arguments.task is None or model.task == arguments.task)
        and (arguments.license is None or arguments.license.lower() in (model.license or "").lower())
        and (arguments.device is None or model.device == arguments.device)
    )


def _row(model: ModelVariant) -> tuple[str, ...]:
    return (
        model.id,
        model.device.value if model.device else "n/a",
        bytes_in_words(download_or_disk_bytes(model)),
        count_in_words(model.context_tokens),
        model.task or "n/a",
        model.license or "n/a",
        _state(model),
    )


def _state(model: ModelVariant) -> str:
    """Where it is, and whether that is of any use here."""
    state = model.problem or model_state(model) or "n/a"
    if model.unavailable is None:
        return state
    where = "" if model_state(model) is ModelState.ELSEWHERE else f"{state}; "
    return f"{where}cannot run here: {model.unavailable}"


def _dimmed(arguments: argparse.Namespace, rows: frozenset[int]) -> frozenset[int]:
    return frozenset() if arguments.no_color else rows


def _list_object(
    snapshot: CatalogSnapshot, models: list[ModelVariant], fits: Mapping[str, Fit]
) -> dict[str, object]:
    return {
        "schema": MODEL_LIST_SCHEMA,
        "notice": snapshot.notice,
        "saved_at_unix": snapshot.saved_at_unix,
        "sources": [source_object(source) for source in snapshot.sources],
        "models": [model_object(model, fits.get(model.id)) for model in models],
    }


def model_object(model: ModelVariant, need: Fit | None) -> dict[str, object]:
    """One model as JSON, with the memory that it needs; unknown is null."""
    return {
        "id": model.id,
        "alias": model.alias,
        "catalog": model.catalog.value,
        "display_name": model.display_name,
        "publisher": model.publisher,
        "license": model.license,
        "license_text": model.license_text,
        "task": model.task,
        "device": model.device.value if model.device else None,
        "execution_provider": model.execution_provider,
        "quantization": model.quantization,
        "size_bytes": model.size_bytes,
        "disk_bytes": model.disk_bytes,
        "context_tokens": model.context_tokens,
        "advertised_context_tokens": model.advertised_context_tokens,
        "max_output_tokens": model.max_output_tokens,
        "capabilities": list(model.capabilities),
        "cached": model.is_cached,
        "loaded": model.is_loaded,
        "path": model.path,
        "problem": model.problem,
        "unavailable": model.unavailable,
        "fit": None if need is None else fit_object(need),
    }
