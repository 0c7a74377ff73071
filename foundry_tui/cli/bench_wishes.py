"""What a benchmark is to do: options over the plan file over ``BENCH_*`` over the workshop's defaults."""

import argparse
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from foundry_tui.cli.bench_limits import limits_of
from foundry_tui.cli.numbers import positive
from foundry_tui.config.locate import find_prompts
from foundry_tui.config.plan_file import PlanEntries, load_plan
from foundry_tui.config.prompts_file import load_prompts
from foundry_tui.domain.bench import (
    GoodputLimits,
    MemoryRescue,
    Order,
    PlannedPrompt,
    PrecisionRule,
    RunLimits,
)
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.text import clean_line
from foundry_tui.services.bench.race import rounds_of_race

__all__ = ["DEFAULT_PROMPT", "Wishes", "wishes_of"]

T = TypeVar("T")

DEFAULT_PROMPT = "Explain retrieval augmented generation briefly."
_ROUNDS, _WARMUP, _MAX_TOKENS, _TEMPERATURE = 3, 1, 120, 0.2
_SEED = 7
"""Of a deterministic run that names none."""
_EVERY = frozenset({"auto", "all"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """A plan as far as it can be made without an engine.

    Attributes:
        models: None is every chat model on this machine.
        sweep: The concurrency of each run that is to be made, mostly one.
        order: None is interleaved, unless they do not fit into memory together.
        timeouts: Phase and seconds, of the plan file; what options say of them is stronger.
        notes: What the user should know of how this came about.
    """

    name: str
    models: tuple[str, ...] | None
    prompts: tuple[PlannedPrompt, ...]
    rounds: int
    warmup: int
    max_tokens: int
    temperature: float | None
    seed: int | None
    sweep: tuple[int, ...]
    order: Order | None
    is_deterministic: bool
    has_probes: bool
    has_cold_start: bool
    unloads: bool
    precision: PrecisionRule | None
    stops_repetition: bool | None
    rescue: MemoryRescue
    limits: RunLimits
    goodput: GoodputLimits | None
    timeouts: Mapping[str, float]
    notes: tuple[str, ...]


def wishes_of(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Wishes:
    """Put together what was said.  Reads files.

    Raises:
        BadInput: An option, a variable or a file cannot be used; nothing was begun.
    """
    if arguments.race is not None and arguments.models is not None:
        raise BadInput("--race and --models exclude each other", remedy="leave one of them out")
    entries = PlanEntries() if arguments.plan is None else load_plan(arguments.plan)
    said = _Variables(environment)
    is_deterministic = arguments.deterministic or bool(entries.is_deterministic)
    temperature = _temperature(arguments, entries, said, is_deterministic=is_deterministic)
    seed = arguments.seed if arguments.seed is not None else entries.seed
    prompts = _prompts(arguments, entries, said)
    usual = _ROUNDS if arguments.race is None else rounds_of_race(len(prompts))
    rounds = _first(arguments.rounds, entries.rounds, said.whole("BENCH_ROUNDS"), usual)
    return Wishes(
        name=_first(arguments.name, entries.name, None, ""),
        models=_models(arguments.models, entries.models, said.text("BENCH_MODELS")),
        prompts=prompts,
        rounds=rounds,
        warmup=_first(arguments.warmup, entries.warmup, None, _WARMUP),
        max_tokens=_first(
            arguments.max_tokens, entries.max_tokens, said.whole("BENCH_MAX_TOKENS"), _MAX_TOKENS
        ),
        temperature=temperature,
        seed=_SEED if seed is None and is_deterministic else seed,
        sweep=_first(
            arguments.concurrency, None if entries.concurrency is None else (entries.concurrency,), None, (1,)
        ),
        order=entries.order if arguments.order is None else Order(arguments.order),
        is_deterministic=is_deterministic,
        has_probes=entries.has_probes is not False,
        has_cold_start=arguments.cold_start or bool(entries.has_cold_start),
        unloads=entries.unloads is not False,
        precision=_precision(arguments, entries.precision, rounds),
        stops_repetition=_either(arguments.stop_repetition, entries.stops_repetition),
        rescue=_rescue(arguments.on_out_of_memory, entries.rescue),
        limits=limits_of(arguments, entries.limits),
        goodput=_either(arguments.goodput, entries.goodput),
        timeouts=entries.timeouts or {},
        notes=tuple(_stream_notes(environment)),
    )


class _Variables:
    """The workshop's environment variables; one that is empty is one that is not set."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def text(self, name: str) -> str | None:
        return self._environment.get(name, "").strip() or None

    def whole(self, name: str) -> int | None:
        return self._read(name, positive, "a whole number >= 1")

    def temperature(self) -> float | None:
        return self._read("BENCH_TEMPERATURE", float, "a number from 0 to 2", lambda value: 0 <= value <= 2)

    def _read(
        self,
        name: str,
        read: Callable[[str], T],
        expected: str,
        is_fit: Callable[[T], bool] = lambda _: True,
    ) -> T | None:
        text = self.text(name)
        if text is None:
            return None
        value: T | None = None
        with suppress(ValueError, argparse.ArgumentTypeError):
            value = read(text)
        if value is None or not is_fit(value):
            raise BadInput(
                f"{name} must be {expected}, not {clean_line(text, 40)!r}",
                remedy=f"set {name} anew, or unset it",
            )
        return value


def _first(option: T | None, entry: T | None, variable: T | None, default: T) -> T:
    for value in (option, entry, variable):
        if value is not None:
            return value
    return default


def _either(option: T | None, entry: T | None) -> T | None:
    return entry if option is None else option


def _rescue(option: str | None, entry: MemoryRescue | None) -> MemoryRescue:
    return _first(None if option is None else MemoryRescue(option), entry, None, MemoryRescue.OWN)


def _models(
    option: list[str] | None, entry: tuple[str, ...] | None, variable: str | None
) -> tuple[str, ...] | None:
    names = option if option is not None else entry
    if names is None:
        names = [name.strip() for name in (variable or "").split(",") if name.strip()]
    if not names or any(name.casefold() in _EVERY for name in names):
        return None
    return tuple(dict.fromkeys(names))


def _prompts(
    arguments: argparse.Namespace, entries: PlanEntries, said: _Variables
) -> tuple[PlannedPrompt, ...]:
    if arguments.prompts is not None and arguments.prompt is not None:
        raise BadInput("--prompts and --prompt exclude each other", remedy="leave one of them out")
    if arguments.prompts is not None:
        path = find_prompts(arguments.prompts, arguments.config)
        return tuple(prompt.planned for prompt in load_prompts(path))
    if arguments.prompt is not None:
        return tuple(_of_texts("--prompt", arguments.prompt))
    if entries.prompts is not None:
        return entries.prompts
    return tuple(_of_texts("BENCH_PROMPT", [said.text("BENCH_PROMPT") or DEFAULT_PROMPT]))


def _of_texts(place: str, texts: list[str]) -> list[PlannedPrompt]:
    for text in texts:
        if not text.strip():
            raise BadInput(f"{place} is empty", remedy="give the text of a prompt")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            # Bytes that the locale cannot read arrive as halves of surrogate pairs, which cannot be sent.
            raise BadInput(
                f"{place} is not text from character {error.start + 1} on", remedy="give UTF-8 text"
            ) from error
    return [PlannedPrompt(id=f"p{number}", text=text) for number, text in enumerate(texts, start=1)]


def _temperature(
    arguments: argparse.Namespace, entries: PlanEntries, said: _Variables, *, is_deterministic: bool
) -> float | None:
    variable = said.temperature()
    if is_deterministic:
        place, given = ("--temperature", arguments.temperature)
        if given is None and entries.has_temperature:
            place, given = f"{arguments.plan}: /temperature", entries.temperature
        if given:
            raise BadInput(
                f"{place} is {given:g}, but a deterministic run has temperature 0",
                remedy="leave one of them out",
            )
        return 0.0
    if arguments.temperature is not None:
        option: float = arguments.temperature
        return option
    if entries.has_temperature:
        return entries.temperature
    return _TEMPERATURE if variable is None else variable


def _precision(
    arguments: argparse.Namespace, entry: PrecisionRule | None, rounds: int
) -> PrecisionRule | None:
    share, most, longest_s = arguments.precision, arguments.max_rounds, arguments.max_time
    if share is None and entry is None:
        if most is not None or longest_s is not None:
            raise BadInput(
                "--max-rounds and --max-time bound --precision, which is not given",
                remedy="give --precision 5%, or --rounds N for a fixed number",
            )
        return None
    rule = entry or PrecisionRule()
    if most is not None and most < rounds:
        raise BadInput(f"--max-rounds {most} is less than the {rounds} rounds", remedy="raise it")
    return PrecisionRule(
        half_width_share=rule.half_width_share if share is None else share,
        max_rounds=max(rounds, rule.max_rounds) if most is None else most,
        max_s=rule.max_s if longest_s is None else longest_s,
    )


def _stream_notes(environment: Mapping[str, str]) -> list[str]:
    value = environment.get("BENCH_STREAM", "").strip()
    if not value:
        return []
    return [
        f"BENCH_STREAM={clean_line(value, 20)} changes nothing: every request streams, and has all numbers"
    ]
