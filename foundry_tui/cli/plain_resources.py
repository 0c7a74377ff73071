"""What is used of the machine, which model took what, and what has happened, read out."""

import asyncio
from contextlib import aclosing, suppress

from foundry_tui.cli.plain_commands import Command, amount_in
from foundry_tui.cli.plain_models import sample_of
from foundry_tui.cli.plain_session import Session
from foundry_tui.cli.plain_words import count_words, sentence, spoken
from foundry_tui.cli.plain_words_models import load_line
from foundry_tui.domain.quantities import UNKNOWN, span_in_words
from foundry_tui.domain.resources import ResourceSample
from foundry_tui.domain.text import clean_line
from foundry_tui.metrics.holding import Holding
from foundry_tui.metrics.machine_history import MachineHistory, Series
from foundry_tui.metrics.stays import Stay, Taken
from foundry_tui.reports.machine import (
    absence_lines,
    cost_words,
    happening_words,
    share_words,
    shared_note,
    stay_words,
    taken_words,
    trouble_words,
    value_words,
)
from foundry_tui.reports.reclaim import held_words, reclaimed_words
from foundry_tui.services.reclaim import Reclaim

__all__ = ["COMMANDS"]

_GROUP = "Models and engine"
_NS_PER_S = 1_000_000_000
_MINUTE_S = 60
_MINUTES = 5
_MOST_MINUTES = 1_440
_COLUMNS = 600
_EVENTS = 10
_NEXT_S = 2.0
"""Four times as long as the next reading takes."""


async def _resources(session: Session, text: str) -> None:
    minutes = amount_in(text, _MOST_MINUTES) if text else _MINUTES
    sample, chronicle = await _read(session), session.client.chronicle
    if sample is None:
        session.say("The machine cannot be read.")
        return
    lines = [_said(words) for words in (*share_words(sample), *trouble_words(sample))]
    lines += _series_lines(chronicle.history, minutes)
    if (words := cost_words(session.services.sampler.cost.share)) is not None:
        lines.append(_said(words))
    lines += [_said(words) for words in absence_lines(sample, chronicle.history, session.client.engine_state)]
    stays = chronicle.stays
    lines += [_stay_line(stay) for stay in reversed(stays)] or ["No model was loaded so far."]
    if (note := shared_note(stays)) is not None:
        lines.append(_said(note))
    if chronicle.holding.was_unloaded and _host(session).obstacle() is None:
        lines.append(_held_line(chronicle.holding, "/reclaim restarts the host"))
    happenings = chronicle.happenings()
    if last := happenings[-_EVENTS:]:
        count = count_words(len(last), "event")
        lines.append(f"The last {count}, the newest first:" if len(last) > 1 else "The last event:")
        now_ns = chronicle.now_ns()
        lines += [
            sentence(f"{_span((now_ns - one.at_ns) / _NS_PER_S)} ago: {_spoken(happening_words(one))}")
            for one in reversed(last)
        ]
    session.read_out(lines)


async def _reclaim(session: Session, text: str) -> None:
    host = _host(session)
    if (obstacle := host.obstacle()) is not None:
        raise obstacle
    await _read(session)
    session.say(_held_line(session.client.chronicle.holding))
    with session.busy("Restarting the host"):
        done = await host.run()
    session.tell_engine()  # that it is well again needs no words, but is to be known
    words = _said(reclaimed_words(done.before, done.after, len(done.reports)))
    session.say("\n".join([*(load_line(report) for report in done.reports), words]))


async def _read(session: Session) -> ResourceSample | None:
    """The newest readings; one more is waited for where none was taken since the last unload."""
    sample, samples = await sample_of(session), session.services.sampler.samples
    holding = session.client.chronicle.holding
    if sample is None or not holding.was_unloaded or holding.kinds:
        return sample
    with suppress(TimeoutError):
        async with asyncio.timeout(_NEXT_S), aclosing(samples.watch()) as readings:
            async for newest in readings:
                if newest is not sample:
                    break
    return samples.value


def _host(session: Session) -> Reclaim:
    return Reclaim(session.client, session.services.sampler)


def _held_line(holding: Holding, remedy: str | None = None) -> str:
    words = _spoken(held_words(holding, remedy))
    # The name of a model stays as it is at the beginning too.
    return f"{words}." if holding.was_unloaded else sentence(words)


def _series_lines(history: MachineHistory, minutes: int) -> list[str]:
    newest, first_ns = history.newest, history.begin_ns
    if newest is None or first_ns is None:
        return []
    end_ns = newest.at_ns + 1
    begin_ns = max(first_ns, end_ns - minutes * _MINUTE_S * _NS_PER_S)
    columns = history.columns(begin_ns, end_ns, _COLUMNS)
    lines = [f"Over the last {_span((end_ns - begin_ns) / _NS_PER_S)}:"]
    for series in Series:
        known = [value for value in columns[series] if value is not None]
        if known:
            mean, most = sum(known) / len(known), max(known)
            words = (
                f"{series}: now {value_words(series, newest.of(series))},"
                f" mean {value_words(series, mean)}, at most {value_words(series, most)}"
            )
            lines.append(_said(words))
    return lines


def _stay_line(stay: Stay) -> str:
    name = clean_line(stay.model_id, 120)
    words = (
        f"{stay_words(stay)}: before the load {taken_words(stay.before)}, loaded {taken_words(stay.loaded)},"
        f" took {taken_words(stay.grown, sign=True)}, at most {taken_words(stay.peak)}"
    )
    if stay.after is not None and stay.after != Taken():
        words += (
            f", after the unload {taken_words(stay.after)}, not given back"
            f" {taken_words(stay.residual, sign=True)}"
        )
    return f"{name}, {_spoken(words)}."


def _span(seconds: float) -> str:
    if seconds < _MINUTE_S - 0.5:
        return count_words(max(1, round(seconds)), "second")
    return spoken(span_in_words(seconds))


def _said(words: str) -> str:
    return sentence(_spoken(words))


def _spoken(words: str) -> str:
    return spoken(words.replace(UNKNOWN, "unknown"))


COMMANDS: tuple[Command, ...] = (
    Command(
        names=("resources", "res"),
        group=_GROUP,
        arguments="[MINUTES]",
        help="processors, memory and GPU over the last minutes, what each model took, and what happened",
        example="/resources 10",
        run=_resources,
    ),
    Command(
        names=("reclaim",),
        group=_GROUP,
        help="start the engine's host afresh for the memory that unloaded models left in it, load again what"
        " was loaded, and say what came back",
        example="/reclaim",
        run=_reclaim,
    ),
)
