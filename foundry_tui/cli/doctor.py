"""``foundry-tui doctor``: what works here, what does not, and what to do about it."""

import argparse
import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from foundry_tui import __version__
from foundry_tui.bootstrap import open_services
from foundry_tui.cli.exit_codes import ExitCode, code_of
from foundry_tui.cli.options import add_common, launch_options
from foundry_tui.cli.output import print_json, print_text, say
from foundry_tui.config.locate import config_folders, find_file
from foundry_tui.config.models_file import load_models
from foundry_tui.config.prompt_sets import load_prompt_sets
from foundry_tui.domain.engine import EngineInfo
from foundry_tui.domain.errors import FoundryTuiError
from foundry_tui.domain.quantities import bytes_in_words, seconds_in_words
from foundry_tui.launching import default_data_dir, resolve
from foundry_tui.reports.catalogs import missing_lines
from foundry_tui.services.opened import Services
from foundry_tui.services.setup import Setup

__all__ = ["DOCTOR_SCHEMA", "add_commands"]

DOCTOR_SCHEMA = "foundry-tui/doctor@1"
_LITTLE_SPACE_BYTES = 5 * 1024**3
_LIBRARIES = (
    "textual",
    "openai",
    "foundry-local-sdk",
    "onnxruntime",
    "onnxruntime-genai-core",
    "psutil",
    "nvidia-ml-py",
)


class Status(StrEnum):
    """How a check went."""

    OK = "ok"
    NOTE = "note"
    """Works, but worth knowing."""
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was looked at."""

    name: str
    status: Status
    detail: str
    remedy: str | None = None


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add ``doctor``."""
    doctor = commands.add_parser(
        "doctor",
        description="Check versions, folders, configuration, engine, catalog and GPU; say what to do.",
        epilog="example: foundry-tui doctor --json",
    )
    add_common(doctor, top=False)
    doctor.add_argument("--json", action="store_true", help="one JSON object on stdout")
    doctor.set_defaults(run=_doctor)


async def _doctor(arguments: argparse.Namespace) -> int:
    checks = [_configuration(arguments)]
    info: EngineInfo | None = None
    data_dir = arguments.data_dir or default_data_dir()
    code = ExitCode.DONE
    try:
        launch = resolve(launch_options(arguments))
    except FoundryTuiError as error:
        checks.append(_problem("start", error))
        code = code_of(error)
    else:
        data_dir = launch.setup.data_dir
        checks += _folders(launch.setup)
        async with open_services(launch) as services:
            try:
                info = await services.client.start()
            except FoundryTuiError as error:
                checks.append(_problem("engine", error))
                code = code_of(error)
            else:
                checks.append(_engine(info))
                checks += [Check(name="notice", status=Status.NOTE, detail=note) for note in info.notes]
                checks.append(await _checked("catalog", lambda: _catalog(services)))
            checks.append(await _gpu(services))
    if code is ExitCode.DONE and any(check.status is Status.PROBLEM for check in checks):
        code = ExitCode.FAILED
    if arguments.json:
        print_json(_report(checks, info, data_dir))
    else:
        for name, number in _versions().items():
            print_text(f"{name} {number}")
        for check in checks:
            print_text(f"[{check.status.value}] {check.name}: {check.detail}")
            if check.remedy is not None:
                print_text(f"    → {check.remedy}")
    if code is not ExitCode.DONE:
        say("doctor found problems")
    return code


def _configuration(arguments: argparse.Namespace) -> Check:
    try:
        folders = config_folders(arguments.config)
        found = [find_file(name, folders) for name in ("models.json", "prompts.json", "settings.toml")]
        models, sets = load_models(found[0]), load_prompt_sets(folders)
    except FoundryTuiError as error:
        return _problem("configuration", error)
    places = ", ".join(str(path) for path in found)
    return Check(
        name="configuration",
        status=Status.OK,
        detail=f"{len(models)} models and {len(sets['prompts.json'])} prompts in {places}"
        + (f", {len(sets) - 1} ready sets of prompts" if len(sets) > 1 else ""),
    )


def _folders(setup: Setup) -> list[Check]:
    free = shutil.disk_usage(setup.data_dir).free
    is_little = free < _LITTLE_SPACE_BYTES
    return [
        Check(name="data directory", status=Status.OK, detail=str(setup.data_dir)),
        Check(
            name="disk",
            status=Status.NOTE if is_little else Status.OK,
            detail=f"{bytes_in_words(free)} free",
            remedy="a model takes 1 to 10 GiB: free some space first" if is_little else None,
        ),
    ]


def _engine(info: EngineInfo) -> Check:
    took = f", up in {seconds_in_words(info.start_ns / 1e9)}" if info.start_ns is not None else ""
    can = ", ".join(capability.value for capability in info.capabilities)
    return Check(
        name="engine",
        status=Status.OK,
        detail=f"{info.kind.value} at {info.url}{took}; can {can}",
    )


async def _catalog(services: Services) -> Check:
    snapshot = await services.client.refresh()
    cached = sum(1 for model in snapshot.models if model.is_cached)
    words = f"{len(snapshot.models)} variants, {cached} on this machine"
    missing = missing_lines(snapshot, time.time())
    if not missing:
        return Check(name="catalog", status=Status.OK, detail=words)
    return Check(
        name="catalog",
        status=Status.NOTE,
        detail="; ".join([words, *missing]),
        remedy="models on this machine work all the same"
        if services.setup.is_offline
        else "check the network and the proxy; models on this machine work all the same",
    )


async def _gpu(services: Services) -> Check:
    from foundry_tui.wiring.machine import gpu_probe

    probe = gpu_probe()
    try:
        found = await asyncio.to_thread(probe.sample, services.client.process_id)
    finally:
        probe.close()
    if found.absence is not None:
        return Check(name="GPU", status=Status.NOTE, detail=found.absence)
    words = ", ".join(
        f"{gpu.name} ({bytes_in_words(gpu.used_bytes)} of {bytes_in_words(gpu.total_bytes)} used)"
        for gpu in found.gpus
    )
    return Check(name="GPU", status=Status.OK, detail=words)


async def _checked(name: str, check: Callable[[], Awaitable[Check]]) -> Check:
    try:
        return await check()
    except FoundryTuiError as error:
        return _problem(name, error)


def _problem(name: str, error: FoundryTuiError) -> Check:
    return Check(name=name, status=Status.PROBLEM, detail=error.message, remedy=error.remedy)


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import PackageNotFoundError, version  # late: the app does not need it

    found = {"foundry-tui": __version__, "python": platform.python_version(), "system": platform.platform()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found


def _report(checks: list[Check], info: EngineInfo | None, data_dir: Path) -> dict[str, object]:
    return {
        "schema": DOCTOR_SCHEMA,
        "versions": _versions(),
        "data_dir": str(data_dir),
        "engine": None
        if info is None
        else {
            "kind": info.kind.value,
            "url": info.url,
            "capabilities": [capability.value for capability in info.capabilities],
            "cache_dir": info.cache_dir,
        },
        "checks": [
            {
                "name": check.name,
                "status": check.status.value,
                "detail": check.detail,
                "remedy": check.remedy,
            }
            for check in checks
        ],
    }
