"""The language in which models are sought, as it is being typed.

All parts, with spaces between them, must hold; upper and lower case are the same::

    phi mini              words, anywhere in id, alias, name, publisher, licence, device, task or provider
    "small talk"          a phrase; between quotes nothing has a meaning of its own
    license:mit           a value in one place: license or licence, device, task, publisher, provider or ep,
                          alias, id, quantization
    device:cpu,npu        one value of several; license:"apache 2.0" has a space in it
    cached  loaded        known to be on this machine, in memory
    local  public         registered by oneself, from the public catalog
    problem  marked       with something against it; marked by the user, where marks can be set
    size<2gb  disk>=1gib  what is compared: size (the download; else what is on disk), disk, context;
    context>=8k           with < <= > >= and, if one likes, a colon: size:<2gb
    -vision  -device:gpu  a minus before any part: it must not hold

Sizes count in b, kb, mb, gb, tb (thousands) or kib, mib, gib, tib; ``g`` alone means ``gb``.  A count's k is
anything from 1000 to 1024, so that 8000 and 8192 are both ``context>=8k`` and both ``context<=8k``.  What is
unknown of a model never matches a value or a comparison; since a minus turns a part round, it does match
``-size<2gb``.

What is not understood, ``size<`` for one, is told as a problem and left out: a filter that is half typed must
not hide everything.  A word with a colon that is no key, such as ``file:``, is a word like any other.
"""

import operator
import re
from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from foundry_tui.domain.models import CatalogKind, Device, ModelVariant

__all__ = [
    "FLAGS",
    "KEYS",
    "MEASURES",
    "FilterPart",
    "FilterProblem",
    "ModelFilter",
    "download_or_disk_bytes",
    "haystack_of",
    "parse_filter",
    "split_filter",
]


def download_or_disk_bytes(model: ModelVariant) -> int | None:
    """What a list shows as the size: the download's, else what its folder holds; None if neither is known."""
    return model.size_bytes if model.size_bytes is not None else model.disk_bytes


KEYS: dict[str, Callable[[ModelVariant], str | None]] = {
    "license": operator.attrgetter("license"),
    "licence": operator.attrgetter("license"),
    "device": operator.attrgetter("device"),
    "task": operator.attrgetter("task"),
    "publisher": operator.attrgetter("publisher"),
    "provider": operator.attrgetter("execution_provider"),
    "ep": operator.attrgetter("execution_provider"),
    "alias": operator.attrgetter("alias"),
    "id": operator.attrgetter("id"),
    "quantization": operator.attrgetter("quantization"),
}
"""What stands before a colon, and where its value is sought."""
MEASURES: dict[str, Callable[[ModelVariant], int | None]] = {
    "size": download_or_disk_bytes,
    "disk": operator.attrgetter("disk_bytes"),
    "context": operator.attrgetter("context_tokens"),
}
"""What can be compared with a number."""
_FLAGS: dict[str, Callable[[ModelVariant], bool]] = {
    "cached": lambda model: model.is_cached is True,
    "loaded": lambda model: model.is_loaded is True,
    "local": lambda model: model.catalog is CatalogKind.LOCAL,
    "public": lambda model: model.catalog is CatalogKind.PUBLIC,
    "problem": lambda model: model.problem is not None,
}
_MARKED = "marked"
FLAGS = (*_FLAGS, _MARKED)
"""Words that stand for a state and not for themselves."""

_PART = re.compile(r'(?:"[^"]*"?|[^\s"])+')
_VALUE = re.compile(r'(?:"[^"]*"?|[^,"])+')
_KEYED = re.compile(r"([a-z]+)([:<>=])(.*)", re.DOTALL)
_STRAY_COMMA = re.compile(r"^,|,,|,$")
_COMPARISON = re.compile(r":?(<=|>=|<|>)?(.*)", re.DOTALL)
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?|\.[0-9]+)([a-z]*)")
_COMPARES: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_BYTES = {"b": 1} | {
    prefix + ending: base**power
    for power, prefix in enumerate("kmgt", start=1)
    for ending, base in (("", 1000), ("b", 1000), ("ib", 1024))
}
_THOUSANDS = {"": 0, "k": 1, "m": 2}
_EXAMPLES = {
    "size": "size<2gb",
    "disk": "disk>500mb",
    "context": "context>=8k",
    "license": "mit",
    "licence": "mit",
    "device": "cpu,gpu,npu",
    "task": "chat",
    "provider": "cuda",
    "ep": "cuda",
}
# Told the reason and what would be understood; returns the term that is left then, which is none.
_Tell: TypeAlias = "Callable[[str, str], _Term | None]"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterProblem:
    """A part that was not understood and is left out.

    Attributes:
        at: Where it begins, in characters from 0.
        part: As it was written.
        reason: What is wrong with it.
        accepted: What would be understood in its place.
    """

    at: int
    part: str
    reason: str
    accepted: str

    @property
    def words(self) -> str:
        """All of it on one short line, as the user typed it."""
        return f"“{self.part}”: {self.reason}, try {self.accepted}"


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterPart:
    """What stands between two spaces.

    Attributes:
        at: Where it begins, in characters from 0.
        text: As it was written, with its minus and its quotes.
    """

    at: int
    text: str

    @property
    def is_excluded(self) -> bool:
        """Whether a minus stands before it."""
        return self.text.startswith("-")

    @property
    def body(self) -> str:
        """Without its minus."""
        return self.text[1:] if self.is_excluded else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Term:
    """One part that was understood.

    Attributes:
        is_excluded: Whether it must not hold.
    """

    is_excluded: bool

    @abstractmethod
    def holds(self, model: ModelVariant) -> bool:
        """Whether it does, its minus aside."""
        ...

    def select(
        self, models: Sequence[ModelVariant], haystacks: Sequence[str], among: Sequence[int]
    ) -> list[int]:
        """Those of ``among`` for which it holds, or does not if it must not."""
        wanted = not self.is_excluded
        return [index for index in among if self.holds(models[index]) is wanted]

    def implies(self, other: "_Term") -> bool:
        """Whether ``other`` is known to hold wherever this does; False where that is not easily seen."""
        return self == other


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text(_Term):
    text: str

    def holds(self, model: ModelVariant) -> bool:
        return self.text in haystack_of(model)

    def select(
        self, models: Sequence[ModelVariant], haystacks: Sequence[str], among: Sequence[int]
    ) -> list[int]:
        text = self.text
        if self.is_excluded:
            return [index for index in among if text not in haystacks[index]]
        return [index for index in among if text in haystacks[index]]

    def implies(self, other: _Term) -> bool:
        grew = isinstance(other, _Text) and not self.is_excluded and not other.is_excluded
        return self == other or (grew and isinstance(other, _Text) and other.text in self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value(_Term):
    key: str
    values: tuple[str, ...]

    def holds(self, model: ModelVariant) -> bool:
        return self._is_in(KEYS[self.key](model))

    def select(
        self, models: Sequence[ModelVariant], haystacks: Sequence[str], among: Sequence[int]
    ) -> list[int]:
        # A catalog has many models and few licences: each text is looked into once.
        answers = _Answers(self._is_in)
        read, wanted = KEYS[self.key], not self.is_excluded
        return [index for index in among if answers[read(models[index])] is wanted]

    def _is_in(self, text: str | None) -> bool:
        if text is None:
            return False
        folded = text.casefold()
        for value in self.values:  # noqa: SIM110 - any() makes a generator for each of thousands of models
            if value in folded:
                return True
        return False


class _Answers(dict[str | None, bool]):
    def __init__(self, ask: Callable[[str | None], bool]) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, text: str | None) -> bool:
        answer = self[text] = self._ask(text)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class _Flag(_Term):
    name: str

    def holds(self, model: ModelVariant) -> bool:
        return _FLAGS[self.name](model)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Marked(_Term):
    ids: frozenset[str]

    def holds(self, model: ModelVariant) -> bool:
        return model.id in self.ids


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bound(_Term):
    measure: str
    comparison: str
    bound: float

    def holds(self, model: ModelVariant) -> bool:
        reading = MEASURES[self.measure](model)
        return reading is not None and _COMPARES[self.comparison](reading, self.bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFilter:
    """What was asked for; made by ``parse_filter``.

    Attributes:
        terms: What was understood; all of it must hold.  Without any, every model matches.
        problems: What was not, in the order of the text.
    """

    terms: tuple[_Term, ...] = ()
    problems: tuple[FilterProblem, ...] = ()

    def matches(self, model: ModelVariant) -> bool:
        """Whether ``model`` is what was asked for."""
        return all(term.holds(model) is not term.is_excluded for term in self.terms)

    def select(
        self, models: Sequence[ModelVariant], haystacks: Sequence[str], among: Sequence[int]
    ) -> Sequence[int]:
        """Those of ``among`` that match, in its order; the same as ``matches``, for many at once.

        Args:
            models: All of them.
            haystacks: ``haystack_of`` each, made beforehand.
            among: Places in ``models``.
        """
        for term in self.terms:
            among = term.select(models, haystacks, among)
        return among

    def narrows(self, other: "ModelFilter") -> bool:
        """Whether all that matches this is known to match ``other`` too, as when one types on."""
        return all(any(term.implies(wider) for term in self.terms) for wider in other.terms)


def haystack_of(model: ModelVariant) -> str:
    """All that words are sought in, in lower case, one text on each line."""
    # Spelled out, and joined before it is folded: a catalog has thousands of models.
    return "\n".join(
        (
            model.id,
            model.alias,
            model.display_name or "",
            model.publisher or "",
            model.license or "",
            model.device or "",
            model.task or "",
            model.execution_provider or "",
        )
    ).casefold()


def split_filter(text: str) -> list[FilterPart]:
    """The parts of a filter; a quote that is not closed reaches to the end."""
    return [FilterPart(at=match.start(), text=match[0]) for match in _PART.finditer(text)]


def parse_filter(text: str, *, marked: Collection[str] | None = None) -> ModelFilter:
    """Understand as much of ``text`` as can be; never fails.

    Args:
        text: As the user typed it.
        marked: Ids of the models that the user marked; None where no marks can be set.
    """
    terms: list[_Term] = []
    problems: list[FilterProblem] = []
    for part in split_filter(text):

        def tell(reason: str, accepted: str, part: FilterPart = part) -> _Term | None:
            problems.append(FilterProblem(at=part.at, part=part.text, reason=reason, accepted=accepted))
            return None

        if part.text.count('"') % 2:
            tell("the quote is not closed", 'a second "')
        if (term := _understand(part, marked, tell)) is not None:
            terms.append(term)
    # What is pasted may say the same thousands of times.
    return ModelFilter(terms=tuple(dict.fromkeys(terms)), problems=tuple(problems))


def _understand(part: FilterPart, marked: Collection[str] | None, tell: _Tell) -> _Term | None:
    body, is_excluded = part.body.casefold(), part.is_excluded
    keyed = _KEYED.fullmatch(body)
    if keyed is not None and keyed[1] in MEASURES:
        return _bound(keyed[1], keyed[2] + keyed[3], tell, is_excluded=is_excluded)
    if keyed is not None and keyed[1] in KEYS:
        if keyed[2] == ":":
            return _value(keyed[1], keyed[3], tell, is_excluded=is_excluded)
        return tell("this has a colon", f"{keyed[1]}:{_example(keyed[1])}")
    if body in _FLAGS:
        return _Flag(name=body, is_excluded=is_excluded)
    if body == _MARKED:
        if marked is not None:
            return _Marked(ids=frozenset(marked), is_excluded=is_excluded)
        return tell("marks are set in the catalog of the app", f'"{_MARKED}" for the word')
    if words := _unquoted(body):
        return _Text(text=words, is_excluded=is_excluded)
    return tell("a word is missing", "-vision" if is_excluded else '"small talk"')


def _value(key: str, written: str, tell: _Tell, *, is_excluded: bool) -> _Term | None:
    values = [value for piece in _VALUE.findall(written) if (value := _unquoted(piece))]
    if not values or _STRAY_COMMA.search(written):
        tell("a value is missing", f"{key}:{_example(key)}")
    if key == "device":
        # There are three of them, so a wrong one is known to be wrong, and a first letter is enough.
        for unknown in (value for value in values if not _devices(value)):
            tell(f"{unknown} is no device", f"{key}:{_example(key)}")
        values = [device for value in values for device in _devices(value)]
    return _Value(key=key, values=tuple(values), is_excluded=is_excluded) if values else None


def _devices(beginning: str) -> list[str]:
    return [device.value for device in Device if device.startswith(beginning)]


def _example(key: str) -> str:
    return _EXAMPLES.get(key, "phi")


def _bound(measure: str, written: str, tell: _Tell, *, is_excluded: bool) -> _Term | None:
    example = _EXAMPLES[measure]
    comparison, amount = _COMPARISON.findall(written)[0]
    number_and_unit = _AMOUNT.fullmatch(amount)
    if not comparison:
        return tell("< <= > or >= is missing", example)
    if number_and_unit is None:
        return tell(f"{amount} is no number" if amount else "a number is missing", example)
    number, unit = float(number_and_unit[1]), number_and_unit[2]
    if measure == "context":
        if unit not in _THOUSANDS:
            return tell(f"{unit} is no unit of a count", example)
        # Both 8000 and 8192 are "8k": neither is above it and neither below.
        factor = (1024 if comparison in ("<=", ">") else 1000) ** _THOUSANDS[unit]
    elif unit in _BYTES or number == 0:
        factor = _BYTES.get(unit, 1)
    else:
        return tell(f"{unit} is no unit of a size" if unit else "a unit is missing", example)
    return _Bound(measure=measure, comparison=comparison, bound=number * factor, is_excluded=is_excluded)


def _unquoted(text: str) -> str:
    return text.replace('"', "").strip()
