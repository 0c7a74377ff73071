"""Whether a judge would judge itself, or its own kin."""

from dataclasses import dataclass

from foundry_tui.domain.bench import Run
from foundry_tui.domain.errors import BadInput
from foundry_tui.domain.model_families import families_of
from foundry_tui.domain.models import ModelVariant
from foundry_tui.domain.text import clean_line

__all__ = ["Kinship", "kinship", "need_stranger"]

_NAME_CHARACTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinship:
    """What a judge is to the models of a run, each by its name in the plan.

    Attributes:
        itself: Those that the judge is, in whatever variant.
        kin: Those of its family, with what they have in common.
        unknown: Those of which that cannot be told: their family or the judge's is not known by its name.
    """

    itself: tuple[str, ...]
    kin: tuple[tuple[str, tuple[str, ...]], ...]
    unknown: tuple[str, ...]

    @property
    def is_any(self) -> bool:
        """Whether one of the models is the judge, or kin to it."""
        return bool(self.itself or self.kin)


def kinship(judge: ModelVariant, run: Run) -> Kinship:
    """By all names that are known of them."""
    own = families_of(filter(None, (judge.id, judge.alias, judge.display_name)))
    itself: list[str] = []
    kin: list[tuple[str, tuple[str, ...]]] = []
    unknown: list[str] = []
    known = {model.model: model for model in run.models}
    for name in run.plan.models:
        model = known.get(name)
        names = [name]
        if model is not None:
            names += [model.model_id or "", *(value for key, value in model.facts if key == "alias")]
        families = families_of(names)
        is_itself = model is not None and any(model.is_called(one) for one in (judge.id, judge.alias))
        if is_itself or judge.id in names or judge.alias in names:
            itself.append(name)
        elif own & families:
            kin.append((name, tuple(sorted(own & families))))
        elif not own or not families:
            unknown.append(name)
    return Kinship(itself=tuple(itself), kin=tuple(kin), unknown=tuple(unknown))


def need_stranger(found: Kinship, judge: ModelVariant, run: Run) -> None:
    """Refuse a judge that is a model of the run, or kin to one.

    Raises:
        BadInput: It is.
    """
    if not found.is_any:
        return
    who = _name(judge.id)
    if found.itself:
        said = f"{who} is measured in run {_name(run.id)} itself, as {', '.join(map(_name, found.itself))}"
    else:
        kin = ", ".join(f"{_name(name)} ({', '.join(families)})" for name, families in found.kin)
        said = f"{who} is of one family with models of run {_name(run.id)}: {kin}"
    raise BadInput(
        f"{said}; a judge prefers its own kin",
        remedy="take another judge, or --allow-same-family, which is kept and told beside every figure",
    )


def _name(text: str) -> str:
    return clean_line(text, _NAME_CHARACTERS)
