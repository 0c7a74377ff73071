"""What was decided before anything opened, as far as it is shown or used."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.tariff import Tariff

__all__ = ["LicensePolicy", "Setup", "WarmthOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensePolicy:
    """Rules by the name that the catalog gives a licence, in any case; ``*`` stands for any characters.

    Attributes:
        deny: What must not be fetched; stronger than everything else.
        allow: What needs no question.
    """

    deny: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()

    def denying(self, name: str | None) -> str | None:
        """The rule that forbids a licence of that name; None if none does."""
        return _matching(self.deny, name or "")

    def allowing(self, name: str | None) -> str | None:
        """The rule that lets a licence of that name pass without a question; None if none does."""
        return _matching(self.allow, name or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmthOptions:
    """What is wanted; None is off.

    Attributes:
        warm_every_s: A light prompt to each loaded model after so long without any.
        unload_after_s: Unload all models after nobody has used the engine for so long.
    """

    warm_every_s: float | None = None
    unload_after_s: float | None = None

    def __post_init__(self) -> None:
        for seconds in (self.warm_every_s, self.unload_after_s):
            if seconds is not None and not 0 < seconds < float("inf"):
                raise ValueError("an interval must be a positive number of seconds")

    @property
    def is_off(self) -> bool:
        """Whether there is nothing to do."""
        return self.warm_every_s is None and self.unload_after_s is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What was decided before anything opened, as far as a front end shows or uses it.

    Attributes:
        where: The engine's place in a few words.
        port: What the managed web service listens at, whenever it runs; None where it takes a free one.
        start_with: Variant to load and talk to at once; None leaves the choice to the user.
        settings_path: The file that the settings come from.
        logs_dir: Logs of the child processes and of the runtime.
        keys: Action ids and the keys that the user gave them, in the settings' own words.
        history_size: Prompts remembered from session to session.
        keeps_conversations: Whether what is said is written down.
        warn_at_context_share: Share of a model's context at which the prompt warns.
        flush_hz: Drawings of streaming text in a second, at most.
        strip_hz: Drawings of the resource strip in a second.
        plain_ribbon: Whether the time between tokens shows as digits, without colour.
        licenses: Which licences need no question, and which are refused.
        quiet_hour: Hour of the day, local time, at which downloads that wait for quiet begin.
        warmth: Whether idle models are kept warm, or unloaded.
        memory_limit_percent: Of the RAM, or of the GPU's memory, above which a load asks first.
        tariff: What energy costs, and what somebody else's tokens would.
    """

    chat: ChatOptions
    theme: str
    where: str
    is_offline: bool
    start_with: str | None
    settings_path: Path
    data_dir: Path
    logs_dir: Path
    port: int | None = None
    keys: tuple[tuple[str, str], ...] = ()
    history_size: int = 500
    keeps_conversations: bool = True
    warn_at_context_share: float = 0.9
    flush_hz: float = 25
    strip_hz: float = 1
    plain_ribbon: bool = False
    animations: bool = True
    licenses: LicensePolicy = field(default_factory=LicensePolicy)
    quiet_hour: int = 2
    warmth: WarmthOptions = field(default_factory=WarmthOptions)
    memory_limit_percent: int = 90
    tariff: Tariff = field(default_factory=Tariff)


def _matching(rules: tuple[str, ...], name: str) -> str | None:
    """The first rule that fits; a model without a licence fits ``*`` alone."""
    folded = " ".join(name.split()).casefold()
    for rule in rules:
        if fnmatchcase(folded, " ".join(rule.split()).casefold().replace("[", "[[]")):
            return rule
    return None
