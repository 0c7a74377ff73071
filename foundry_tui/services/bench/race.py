"""One model on processor, GPU and NPU of this machine: who runs, and who does not and why."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from foundry_tui.domain.models import Device, ModelVariant
from foundry_tui.metrics.comparison import LEAST_PAIRS

__all__ = [
    "FEW_PROMPTS",
    "LeftOut",
    "Race",
    "race_of",
    "rounds_of_race",
]

FEW_PROMPTS = 2
"""So many of the prompts are asked, where nobody names others."""
_LEAST_ROUNDS = 4
_DEVICES = (Device.CPU, Device.GPU, Device.NPU, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A variant that does not run.

    Attributes:
        why: In words; may hold a catalog's or a driver's own.
        can_download: Whether a download is all that it lacks.
    """

    model: ModelVariant
    why: str
    can_download: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """The variants of one alias.

    Attributes:
        alias: As the catalog has it; not harmless.
        runners: Those that can run here now, the processor's first.
        left_out: The others, those that a download would bring in first.
    """

    alias: str
    runners: tuple[ModelVariant, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def is_one(self) -> bool:
        """Whether there is anything to hold against anything, now or after a download."""
        return len(self.runners) + sum(one.can_download for one in self.left_out) > 1


def race_of(models: Sequence[ModelVariant], name: str) -> Race | None:
    """The variants that share an alias with what is called ``name``; None where nothing is called so.

    Of several versions of one variant the newest that is here runs, the others are left out.

    Args:
        models: Of the catalog, in its order.
        name: An alias, a variant with or without its version.
    """
    called = next((model for model in models if name in (model.id, _variant(model.id))), None)
    alias = name if called is None else called.alias
    family = [model for model in models if model.alias == alias]
    if not family:
        return None
    newest = _newest_here(family)
    runners: list[ModelVariant] = []
    left_out: list[LeftOut] = []
    for model in family:
        if model.problem is not None:
            left_out.append(LeftOut(model=model, why=model.problem))
        elif model.unavailable is not None:
            left_out.append(LeftOut(model=model, why=model.unavailable))
        elif (first := newest.get(_variant(model.id))) is not None and first.id != model.id:
            left_out.append(LeftOut(model=model, why=f"another version runs: {first.id}"))
        elif model.is_cached is False and not model.is_loaded:
            left_out.append(LeftOut(model=model, why="not downloaded", can_download=True))
        else:
            runners.append(model)
    return Race(
        alias=alias,
        runners=tuple(sorted(runners, key=lambda model: _DEVICES.index(model.device))),
        left_out=tuple(sorted(left_out, key=lambda one: not one.can_download)),
    )


def rounds_of_race(prompts: int) -> int:
    """The fewest rounds, four or more, with which a difference between two can be shown at all.

    They are even in number: every second one goes backwards, so a steady drift takes from each what it gives.
    """
    return max(_LEAST_ROUNDS, math.ceil(LEAST_PAIRS / max(1, prompts)))


def _newest_here(family: Sequence[ModelVariant]) -> dict[str, ModelVariant]:
    """By variant, the one of the highest version that can run now."""
    found: dict[str, ModelVariant] = {}
    for model in family:
        is_here = model.is_cached is not False or bool(model.is_loaded)
        if not is_here or model.problem is not None or model.unavailable is not None:
            continue
        before = found.get(_variant(model.id))
        if before is None or _version(model.id) > _version(before.id):
            found[_variant(model.id)] = model
    return found


def _variant(model_id: str) -> str:
    name, _, version = model_id.rpartition(":")
    return name if name and version.isdecimal() else model_id


def _version(model_id: str) -> int:
    version = model_id.rpartition(":")[2]
    return int(version) if version.isdecimal() and len(version) < 19 else -1
