"""Commands about models and the engine that runs them."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing, suppress

from foundry_tui.cli.plain_commands import Command
from foundry_tui.cli.plain_load_guard import need_load_wanted
from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_words import count_words, listed, sentence, spoken, unquoted
from foundry_tui.cli.plain_words_downloads import memory_lines
from foundry_tui.cli.plain_words_models import (
    SORT_KEYS,
    cached_line,
    catalog_line,
    comparison_lines,
    engine_lines,
    fact_lines,
    load_line,
    model_line,
    resource_lines,
)
from foundry_tui.domain.engine import Capability
from foundry_tui.domain.errors import BadInput, ModelRefused, NotSupported, StorageProblem
from foundry_tui.domain.health import HealthState
from foundry_tui.domain.model_filter import parse_filter
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.quantities import bytes_in_words
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.cache import check_words, summary_words, total_parts
from foundry_tui.reports.prediction_words import speed_words
from foundry_tui.services.cache.removing import remove_model
from foundry_tui.services.model_care import ModelCare

__all__ = ["COMMANDS", "care_of", "load_wanted", "sample_of"]

_GROUP = "Models and engine"
_NO_ORDER = "none"
_ALL = "all"
_SAMPLE_S = 3.0


def _name(model: ModelVariant) -> str:
    return clean_line(model.id, 120)


async def _models(session: Session, text: str) -> None:
    wanted = parse_filter(text)
    if any(job.model_id is None for job in session.client.jobs.value):
        session.say("The catalog is still being asked; this is what is known so far.")
    for problem in wanted.problems:
        session.has_failed = True
        session.say(f"Left out of the filter: {spoken(clean_line(problem.words))}.")
    snapshot = session.client.catalog.value
    if not snapshot.models:
        session.say(catalog_line(snapshot))
        return
    models = [model for model in snapshot.models if wanted.matches(model)]
    _read_out(session, models, f"of {count_words(len(snapshot.models), 'model')}")


async def _cached(session: Session, text: str) -> None:
    models = [model for model in session.client.catalog.value.models if model.is_cached]
    _read_out(session, models, "on disk")


async def _loaded(session: Session, text: str) -> None:
    models = [model for model in session.client.catalog.value.models if model.is_loaded]
    _read_out(session, models, "loaded")


def _read_out(session: Session, models: Sequence[ModelVariant], which: str) -> None:
    models = session.ordered(models)
    session.listed_models = tuple(model.id for model in models)
    jobs = session.client.jobs.value
    lines = [model_line(number, model, jobs) for number, model in enumerate(models, start=1)]
    if which.startswith("of "):
        head = f"{len(models)} {which}." if models else f"None {which} matches."
    else:
        head = f"{count_words(len(models), 'model')} {which}."
    session.read_out([head[0].upper() + head[1:], *lines])


async def _sort(session: Session, text: str) -> None:
    name = text.casefold().replace("license", "licence")
    if name not in (*SORT_KEYS, _NO_ORDER):
        raise BadInput(
            f"models cannot be sorted by {clean_line(text, 60)}",
            remedy=f"by {listed([*SORT_KEYS, _NO_ORDER])}",
        )
    session.order = None if name == _NO_ORDER else name
    session.say(
        "Lists of models stand as the catalog has them." if name == _NO_ORDER else f"Sorted by {name}."
    )


async def _info(session: Session, text: str) -> None:
    model = session.model(unquoted(text))
    reports, jobs = session.client.load_reports, session.client.jobs.value
    need = await session.client.memory.weigh(model)
    lines = [*fact_lines(model, reports.get(model.id), jobs), *memory_lines(need)]
    with suppress(StorageProblem):  # what is not known of earlier runs is not said
        (expected,) = await session.services.bench.predictions.of([model])
        lines.append(sentence(spoken(f"predicted decode rate {speed_words(expected)}")))
    session.read_out(lines)


async def _compare(session: Session, text: str) -> None:
    models = [session.model(name) for name in text.replace(",", " ").split()]
    if len(models) < 2:
        raise BadInput("one model alone cannot be compared", remedy="name two or more: /compare 1 2")
    session.read_out(comparison_lines(models, session.client.load_reports))


async def _use(session: Session, text: str) -> None:
    model = session.model(unquoted(text))
    _need_here(model)
    info = session.client.engine_info
    if not model.is_loaded and (info is None or info.can(Capability.LOAD)):
        await _load_now(session, model)
    session.model_id = model.id
    session.say(f"Questions go to {_name(model)}.")


async def _load(session: Session, text: str) -> None:
    model = session.model(unquoted(text))
    if model.is_loaded:
        session.say(f"{_name(model)} is loaded already.")
        return
    _need_here(model)
    info = session.client.engine_info
    if info is not None and not info.can(Capability.LOAD):
        raise NotSupported(f"a {info.kind.value} endpoint loads models by itself", remedy="just ask")
    await _load_now(session, model)


async def _unload(session: Session, text: str) -> None:
    model = session.model(unquoted(text))
    if not model.is_loaded:
        session.say(f"{_name(model)} is not loaded.")
        return
    with session.busy(f"Unloading {_name(model)}"):
        await session.client.unload(model.id)
    session.say(f"{_name(model)} was unloaded.")


async def _refresh(session: Session, text: str) -> None:
    with session.busy("Asking the catalog"):
        snapshot = await session.client.refresh()
    session.say(catalog_line(snapshot))


async def _restart(session: Session, text: str) -> None:
    session.say("Restarting the engine.")
    with session.busy("Restarting the engine"):
        reports = await session.client.restart()
    session.tell_engine()  # that it is well again needs no words, but is to be known
    session.say("\n".join(["The engine was restarted.", *(load_line(report) for report in reports)]))
    await load_wanted(session)
    session.client.refresh_soon()


async def _status(session: Session, text: str) -> None:
    lines = engine_lines(session.client.engine_state, session.place)
    model = None if session.model_id is None else session.client.catalog.value.find(session.model_id)
    if session.model_id is None:
        lines.append("No model was chosen yet.")
    elif model is None:
        lines.append(
            f"Questions go to {clean_line(session.model_id, 120)}, which is not in the list of models."
        )
    else:
        lines.append(f"Questions go to {_name(model)}, {'loaded' if model.is_loaded else 'not loaded'}.")
    lines.append(catalog_line(session.client.catalog.value))
    session.read_out([*lines, *resource_lines(await sample_of(session))])


async def sample_of(session: Session) -> ResourceSample | None:
    """Readings of the machine; the sampler runs from the first time on that somebody asks."""
    services = session.services
    samples = services.sampler.samples
    if samples.value is None:
        services.background.start("resource sampler", services.sampler.run())
    with suppress(TimeoutError):
        async with asyncio.timeout(_SAMPLE_S), aclosing(samples.watch()) as readings:
            async for sample in readings:
                # How busy the processors are is known from the second reading on.
                if sample is not None and sample.host.cpu_share is not None:
                    break
    return samples.value


async def load_wanted(session: Session) -> None:
    """Load what the program was asked to begin with, unless something else was chosen.

    Raises:
        EngineError: It was not loaded.
    """
    wanted = session.setup.start_with
    if wanted is not None and session.model_id == wanted:
        model = session.client.find(wanted)
        if not model.is_loaded:
            await _load_now(session, model)


async def _load_now(session: Session, model: ModelVariant) -> None:
    await need_load_wanted(session, model)
    session.say(f"Loading {_name(model)}.")
    with session.busy(f"Loading {_name(model)}"):
        report = await session.client.load(model.id)
    session.say(load_line(report))


async def _remove(session: Session, text: str) -> None:
    care, model = care_of(session), session.model(unquoted(text))
    name = _name(model)
    partials = await asyncio.to_thread(care.runner.partials)
    partial = None if model.is_cached else next((one for one in partials if one.model_id == model.id), None)
    if partial is not None:
        size = bytes_in_words(partial.disk_bytes)
        question = f"Remove what is here of the unfinished download of {name}, and free {size}?"
        if not await session.confirm(question):
            session.say("Nothing was removed.")
            return
        freed = await asyncio.to_thread(care.runner.remove_partial, partial.path)
    elif model.is_loaded:
        if not await session.confirm(f"{name} is in memory. Unload it and remove it from this disk?"):
            session.say("Nothing was removed.")
            return
        await session.client.unload(model.id)
        freed = await remove_model(session.client, care.cache, model.id)
    else:
        size = bytes_in_words(await care.cache.frees(model.id))
        if not await session.confirm(f"Remove {name} from this disk, and free {size}?"):
            session.say("Nothing was removed.")
            return
        freed = await remove_model(session.client, care.cache, model.id)
    session.say(f"{name} was removed; {bytes_in_words(freed)} became free.")


async def _verify(session: Session, text: str) -> None:
    care = care_of(session)
    if text.casefold() == _ALL:
        models = [one for one in session.client.catalog.value.models if one.is_cached and one.path]
    else:
        models = [session.model(unquoted(text))]
        _need_here(models[0])
    results = []
    for model in models:
        with session.busy(f"Reading the files of {_name(model)}"):
            result = await care.health.check(model.id, is_deep=True)
        results.append(result)
        session.say(f"{_name(model)} is {spoken(check_words(result))}.")
        session.has_failed = session.has_failed or result.state is not HealthState.SOUND
    if len(models) != 1:
        session.say(f"{summary_words(results)}.")
    await session.client.look_again()


def care_of(session: Session) -> ModelCare:
    """What looks after the models on this disk.

    Raises:
        NotSupported: They lie on a server's.
    """
    if session.services.care is None:
        raise NotSupported("the models lie on the server's own disk: nothing here can be done to them")
    return session.services.care


async def _space(session: Session, text: str) -> None:
    report, now_unix = await care_of(session).cache.report(), time.time()
    lines = [cached_line(number, one, now_unix) for number, one in enumerate(report.models, start=1)]
    session.listed_models = tuple(one.model_id for one in report.models)
    session.read_out([f"In {clean_line(report.folder)}: {', '.join(total_parts(report))}.", *lines])


def _need_here(model: ModelVariant) -> None:
    if model.is_cached is False:
        raise ModelRefused(
            f"{_name(model)} is not on this machine",
            remedy=f"/download {_name(model)} fetches it; /cached lists the models that are here",
        )


COMMANDS = (
    Command(
        names=("models", "m"),
        group=_GROUP,
        arguments="[FILTER]",
        help="list the models that match, all of them without a filter; their numbers stand for their names",
        example="/models phi size<4gb -vision",
        run=_models,
    ),
    Command(
        names=("cached", "disk"),
        group=_GROUP,
        help="list the models that are on this machine",
        example="/cached",
        run=_cached,
    ),
    Command(
        names=("loaded", "memory"),
        group=_GROUP,
        help="list the models that are in memory",
        example="/loaded",
        run=_loaded,
    ),
    Command(
        names=("sort",),
        group=_GROUP,
        arguments="COLUMN",
        help=f"put lists of models in order by {listed([*SORT_KEYS, _NO_ORDER])}",
        example="/sort size",
        run=_sort,
    ),
    Command(
        names=("info", "i"),
        group=_GROUP,
        arguments="[MODEL]",
        help="everything known about a model, or about the one that is talked to",
        example="/info 2",
        run=_info,
    ),
    Command(
        names=("compare",),
        group=_GROUP,
        arguments="MODEL MODEL ...",
        help="the facts of several models, and where they differ",
        example="/compare 1 2",
        run=_compare,
    ),
    Command(
        names=("use", "u"),
        group=_GROUP,
        arguments="MODEL",
        help="load a model and let questions go to it",
        example="/use phi-4-mini",
        run=_use,
    ),
    Command(
        names=("load", "l"),
        group=_GROUP,
        arguments="[MODEL]",
        help="load a model into memory",
        example="/load 1",
        run=_load,
    ),
    Command(
        names=("unload",),
        group=_GROUP,
        arguments="[MODEL]",
        help="take a model out of memory",
        example="/unload 1",
        run=_unload,
    ),
    Command(
        names=("remove", "rm"),
        group=_GROUP,
        arguments="MODEL",
        help="take a downloaded model off this disk, after a question that says what becomes free",
        example="/remove 2",
        run=_remove,
    ),
    Command(
        names=("space",),
        group=_GROUP,
        help="what each model takes on this disk, when it was used last, and what is free",
        example="/space",
        run=_space,
    ),
    Command(
        names=("verify",),
        group=_GROUP,
        arguments="[MODEL]",
        help="read all files of a model, or with the word all those of every one, and compare them",
        example="/verify all",
        run=_verify,
    ),
    Command(
        names=("refresh",),
        group=_GROUP,
        help="ask the catalog again",
        example="/refresh",
        run=_refresh,
    ),
    Command(
        names=("restart",),
        group=_GROUP,
        help="start the engine afresh and load again what was loaded",
        example="/restart",
        run=_restart,
    ),
    Command(
        names=("status", "st"),
        group=_GROUP,
        help="the engine, the model, processors, memory and GPU memory",
        example="/status",
        run=_status,
    ),
)
