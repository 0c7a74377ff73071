"""Commands about where models run, and about other programs that use what runs here."""

import asyncio

from foundry_tui.cli.plain_commands import Command, number_in
from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_words import count_words, listed, sentence, spoken, unquoted
from foundry_tui.cli.plain_words_models import catalog_line
from foundry_tui.cli.plain_words_servers import address_lines, own_line, server_line, validation_line
from foundry_tui.domain.engine import (
    Capability,
    EndpointKind,
    EngineInfo,
    ProviderProgress,
    ProvidersRegistered,
)
from foundry_tui.domain.errors import BadInput, EngineUnavailable, NotSupported
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line
from foundry_tui.reports.engine import (
    KIND_NAMES,
    exposure_words,
    names_in_words,
    no_providers_words,
    provider_words,
    switch_words,
    warnings_of,
)
from foundry_tui.reports.snippets import SnippetTarget, snippets
from foundry_tui.services.validation import Validation

__all__ = ["COMMANDS", "tell_port", "tell_server"]

_GROUP = "Servers and other programs"
_OWN, _ALL = "own", "all"
_TARGETS = {"curl": SnippetTarget.CURL, "python": SnippetTarget.PYTHON, "vscode": SnippetTarget.VS_CODE}


def tell_server(session: Session, info: EngineInfo) -> None:
    """Say what is to be known of the engine in use without being asked for it."""
    for note in warnings_of(info):
        session.say(sentence(clean_line(note)))


async def tell_port(session: Session, info: EngineInfo) -> None:
    """Say where other programs reach our own engine, if they always reach it there."""
    if info.kind is EndpointKind.MANAGED and (port := session.services.setup.port) is not None:
        session.say(f"Other programs reach it on port {port}: /address says how.")


# --- where models run


async def _endpoints(session: Session, text: str) -> None:
    with session.busy("Looking for servers on this machine"):
        found = await session.services.discovery.look()
    current = _address_in_use(session)
    servers = {server.url: server for server in found}
    session.listed_servers = (None, *servers)
    lines = [own_line(1, is_used=current is None)]
    lines += [
        server_line(number, server, is_used=server.url == current)
        for number, server in enumerate(servers.values(), start=2)
    ]
    if current is not None and current not in servers:
        session.listed_servers = (*session.listed_servers, current)
        lines.append(f"{len(lines) + 1}: {clean_line(current, 120)}, in use.")
    heading = count_words(len(servers), "server")
    session.read_out([f"{heading[0].upper() + heading[1:]} found. /connect NUMBER uses one.", *lines])


async def _connect(session: Session, text: str) -> None:
    where, _, key_name = unquoted(text).partition(" ")
    address = _meant(session, where)
    key_name = key_name.strip()
    if session.client.engine_info is not None and address == _address_in_use(session):
        session.say("It is in use already.")
        return
    warning = None if address is None else exposure_words(address)
    if not await _agrees(session, warning):
        session.say("Nothing was changed.")
        return
    with session.busy("Connecting"):
        info = await session.services.connect(address, key_name or None)
    session.key_name = key_name or None
    session.place = info.url if address is not None and info.url is not None else "managed runtime"
    session.tell_engine()
    session.say(f"In use from now on: {KIND_NAMES[info.kind]}, {clean_line(session.place, 120)}.")
    tell_server(session, info)
    await tell_port(session, info)
    snapshot = session.client.catalog.value
    session.say(catalog_line(snapshot))
    session.listed_models = ()
    if session.model_id is not None and snapshot.find(session.model_id) is None:
        session.model_id = None
    if session.model_id is None:
        session.say("No model was chosen yet: /models lists them, /use NAME chooses one.")


def _meant(session: Session, where: str) -> str | None:
    """The address that is meant by one, by a number of the last list, or by a word; None is our runtime."""
    if where.casefold() == _OWN:
        return None
    if where.isdecimal():
        every = session.listed_servers
        return every[number_in(where, len(every), "server", "in the last list") - 1]
    return where


async def _agrees(session: Session, warning: str | None) -> bool:
    """Ask where something would be lost or exposed; elsewhere nobody is asked."""
    info = session.client.engine_info
    kind = None if info is None else info.kind
    loaded = [model.id for model in session.client.catalog.value.models if model.is_loaded]
    loses = bool(loaded) and kind in (EndpointKind.MANAGED, EndpointKind.SCRIPTED)
    if not loses and warning is None:
        return True
    words = [sentence(switch_words(kind, loaded))] if loses else []
    if warning is not None:
        words.append(warning)
    return await session.confirm(" ".join([*words, "Use it from now on?"]))


def _address_in_use(session: Session) -> str | None:
    info = session.client.engine_info
    is_own = info is None or info.kind in (EndpointKind.MANAGED, EndpointKind.SCRIPTED)
    return None if is_own or info is None else info.url


# --- other programs


async def _address(session: Session, text: str) -> None:
    info = _ready(session)
    port = session.services.setup.port if info.kind is EndpointKind.MANAGED else None
    session.say("\n".join(address_lines(info, _spoken_of(session, text), port, session.key_name)))


async def _snippet(session: Session, text: str) -> None:
    name, _, model_name = text.partition(" ")
    target = _TARGETS.get(name.casefold())
    if target is None:
        raise BadInput(f"there is no snippet for {clean_line(name, 60)}", remedy=f"for {listed([*_TARGETS])}")
    info, model = _ready(session), _spoken_of(session, model_name)
    if info.url is None:
        raise NotSupported("this engine has no address that others could use")
    if model is None:
        raise BadInput("there is no model to be named", remedy="/models lists them; /use NAME loads one")
    made = snippets(
        info.url,
        model.id,
        catalog=model.catalog,
        key_env=session.key_name if info.kind is not EndpointKind.MANAGED else None,
        context_tokens=model.context_tokens,
    )
    found = next((one for one in made if one.target is target), None)
    if found is None:
        raise BadInput(
            "that editor would read a part of the model's name as a command",
            remedy="/address has the address to type in by hand",
        )
    session.say(f"{found.title}, {found.hint}:\n{found.text.rstrip()}")


def _spoken_of(session: Session, name: str) -> ModelVariant | None:
    """The model named, else the one that is talked to, else the first that is in memory or here."""
    if name.strip() or session.model_id is not None:
        return session.model(unquoted(name))
    every = session.client.catalog.value.models
    return next((one for one in every if one.is_loaded), next((one for one in every if one.is_cached), None))


# --- what works


async def _validate(session: Session, text: str) -> None:
    names = [name for name in text.replace(",", " ").split() if name]
    if not names:
        # Read anew each time: the file may have been edited meanwhile.
        names = list(await asyncio.to_thread(session.services.targets))
    if not names:
        raise BadInput("models.json names no models", remedy="/validate A, B names them")
    passed = total = 0
    with session.busy("Checking the models") as busy:
        async with Validation(session.client, session.setup.chat).running(names) as results:
            async for result in results:
                total += 1
                passed += result.is_passed
                session.say(validation_line(result))
                busy.now("Checking the next model")
    session.has_failed = session.has_failed or passed < total
    session.say(f"{passed} of {count_words(total, 'model')} passed.")


async def _providers(session: Session, text: str) -> None:
    info = _ready(session)
    if not info.can(Capability.PROVIDERS):
        session.say("The server in use looks after its execution providers itself.")
        return
    with session.busy("Asking the runtime"):
        found = await session.client.providers()
    if not text:
        sample = session.services.sampler.samples.value
        lines = [f"{clean_line(one.name, 80)}: {provider_words(one)}." for one in found]
        session.read_out(lines or [no_providers_words(None if sample is None else sample.gpu)])
        return
    missing = [one.name for one in found if not one.is_registered]
    names = tuple(missing if text.casefold() == _ALL else [one for one in missing if one == text])
    if not names:
        raise BadInput(
            f"there is nothing to register by the name {clean_line(text, 80)}",
            remedy="/providers lists what there is",
        )
    question = (
        f"Download and register {names_in_words(names)}? Its size is not known before: maybe some 100 MB."
    )
    if not await session.confirm(question):
        session.say("Nothing was downloaded.")
        return
    with session.busy(f"Downloading {names_in_words(names)}") as busy:
        async with session.client.registering(names) as events:
            async for event in events:
                match event:
                    case ProviderProgress(name, percent):
                        busy.note(f"Downloading {clean_line(name, 80)}, {spoken(f'{percent:.0f}%')}")
                    case ProvidersRegistered(_, failed):
                        done = [name for name in names if name not in failed]
                        session.say(f"Registered: {names_in_words(done) if done else 'none'}.")
                        if failed:
                            session.has_failed = True
                            session.say(f"Failed: {names_in_words(failed)}. /log has the runtime's words.")


def _ready(session: Session) -> EngineInfo:
    info = session.client.engine_info
    if info is None:
        raise EngineUnavailable("the engine is down", remedy="/restart restarts it")
    return info


COMMANDS = (
    Command(
        names=("endpoints", "servers"),
        group=_GROUP,
        help="list where models can run: in this app, or on a server found on this machine",
        example="/endpoints",
        run=_endpoints,
    ),
    Command(
        names=("connect",),
        group=_GROUP,
        arguments="ADDRESS, or NUMBER, or own [VARIABLE]",
        help="use a server from now on, or the runtime of this app; VARIABLE is the one that holds its key",
        example="/connect http://127.0.0.1:5273/v1",
        run=_connect,
    ),
    Command(
        names=("address",),
        group=_GROUP,
        arguments="[MODEL]",
        help="the address under which other programs reach what runs here",
        example="/address",
        run=_address,
    ),
    Command(
        names=("snippet",),
        group=_GROUP,
        arguments="TARGET [MODEL]",
        help=f"lines with which another program uses it, for {listed([*_TARGETS])}",
        example="/snippet curl",
        run=_snippet,
    ),
    Command(
        names=("validate",),
        group=_GROUP,
        arguments="[MODELS]",
        help="check that the models of models.json, or those named, are listed, here, load and answer",
        example="/validate phi-4-mini, qwen2.5-0.5b",
        run=_validate,
    ),
    Command(
        names=("providers",),
        group=_GROUP,
        arguments="[NAME, or all]",
        help="list the execution providers for GPU and NPU, or download and register one or all",
        example="/providers",
        run=_providers,
    ),
)
