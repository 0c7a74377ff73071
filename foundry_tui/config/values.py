"""What the configuration files say, as values of our own: no caller ever sees pydantic."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from foundry_tui.domain.bench import PlannedPrompt
from foundry_tui.domain.chat import PhaseTimeouts
from foundry_tui.domain.checks import Check

__all__ = [
    "ChatSettings",
    "DownloadSettings",
    "EnergySettings",
    "EngineSettings",
    "LicenseSettings",
    "ModelEntry",
    "Prompt",
    "ScreenSettings",
    "Settings",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEntry:
    """What the user notes about a model in ``models.json``.

    Attributes:
        capabilities: What it is good for, in the user's own words.
        size_mb: Download size in megabytes as noted; None if not noted.
        priority: Among models that fit alike the lowest goes first; None goes last.
    """

    alias: str
    capabilities: tuple[str, ...] = ()
    size_mb: float | None = None
    priority: int | None = None

    def __post_init__(self) -> None:
        if not self.alias.strip():
            raise ValueError("a model needs an alias")
        if self.size_mb is not None and not 0 < self.size_mb < float("inf"):
            raise ValueError("size_mb must be a positive number of megabytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt of a prompt set.

    Attributes:
        id: Its name in results; once in a set.
        text: Sent exactly as it is.
        system: Sent before it as the system message; None for none.
        aspects: What a good answer mentions or keeps to.
        tags: Words to pick prompts by.
        checks: What a program looks for in an answer.
    """

    id: str
    text: str
    system: str | None = None
    aspects: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        if not self.id.strip() or not self.text.strip():
            raise ValueError("a prompt needs an id and a text")

    @property
    def planned(self) -> PlannedPrompt:
        """As a run asks it, with what its answers are judged by."""
        return PlannedPrompt(
            id=self.id, text=self.text, system=self.system, aspects=self.aspects, checks=self.checks
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """How a chat asks, and what is kept of it.

    Attributes:
        system_prompt: None sends no system message.
        temperature: 0 to 2; None leaves it to the engine.
        max_tokens: The longest answer.
        seed: None leaves it to the engine.
        history: Number of prompts remembered; 0 remembers none.
        save: Conversations are kept.
        warn_at_context_share: Share of the model's context, 0 to 1, from which on the prompt warns.
    """

    system_prompt: str | None = None
    temperature: float | None = None
    max_tokens: int = 512
    seed: int | None = None
    history: int = 500
    save: bool = True
    warn_at_context_share: float = 0.9

    def __post_init__(self) -> None:
        if self.max_tokens < 1:
            raise ValueError("max_tokens must be at least 1")
        if self.history < 0:
            raise ValueError("history must be at least 0")
        if not 0 <= self.warn_at_context_share <= 1:
            raise ValueError("warn_at_context_share must lie between 0 and 1")
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise ValueError("temperature must lie between 0 and 2")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Which engine answers, and where it keeps its files.

    Attributes:
        endpoint: Base URL of a server to use; None runs our own.
        api_key_env: Name of the environment variable that holds the key; never the key.
        model_cache_dir: Folder for downloaded models; None is the app's own.
        port: Of the managed web service; None takes a free one.
        offline: Nothing that needs the network is tried.
        warm_every_min: Minutes of rest after which a loaded model is asked something short; None never.
        unload_after_min: Minutes of rest after which models are unloaded; None never.
        memory_limit_percent: Share of the RAM, or of the GPU's memory, above which a load asks first.
    """

    endpoint: str | None = None
    api_key_env: str | None = None
    model_cache_dir: str | None = None
    port: int | None = None
    offline: bool = False
    warm_every_min: float | None = None
    unload_after_min: float | None = None
    memory_limit_percent: int = 90

    def __post_init__(self) -> None:
        if not 1 <= self.memory_limit_percent <= 100:
            raise ValueError("memory_limit_percent must lie between 1 and 100")
        for minutes in (self.warm_every_min, self.unload_after_min):
            if minutes is not None and not 0 < minutes < float("inf"):
                raise ValueError("minutes must be a positive number")
        if self.port is not None and not 1 <= self.port <= 65535:
            raise ValueError("port must lie between 1 and 65535")


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadSettings:
    """How models are fetched.

    Attributes:
        quiet_hour: Hour of the day, 0 to 23 in local time, at which a download may be told to begin.
    """

    quiet_hour: int = 2

    def __post_init__(self) -> None:
        if not 0 <= self.quiet_hour <= 23:
            raise ValueError("quiet_hour must lie between 0 and 23")


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergySettings:
    """What energy costs, and what somebody else's tokens would.

    Attributes:
        price_per_kwh: In ``currency``; None counts no money.
        currency: As it is to be shown.
        cloud_price_in: Of a million prompt tokens of a cloud service to compare with; None names none.
        cloud_price_out: Likewise of output tokens.
    """

    price_per_kwh: float | None = None
    currency: str = ""
    cloud_price_in: float | None = None
    cloud_price_out: float | None = None

    def __post_init__(self) -> None:
        for price in (self.price_per_kwh, self.cloud_price_in, self.cloud_price_out):
            if price is not None and not 0 <= price < float("inf"):
                raise ValueError("a price must be a number from 0 on")


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenseSettings:
    """Which licences need no question and which are refused: names separated by commas, ``*`` for any text.

    Attributes:
        allow: What needs no question.
        deny: What is never fetched; stronger than ``allow``.
    """

    allow: str = ""
    deny: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenSettings:
    """How the screen looks.

    Attributes:
        theme: Name of a theme; whether there is one of that name the screen finds out.
        animations: What moves, moves smoothly.
        plain_ribbon: The ribbon of gaps between tokens is drawn in plain characters.
        flush_hz: Redraws of streaming text per second, 1 to 60.
        strip_hz: Readings that the resource strip shows per second, 0.1 to 5.
    """

    theme: str = "foundry-dark"
    animations: bool = True
    plain_ribbon: bool = False
    flush_hz: int = 25
    strip_hz: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.flush_hz <= 60:
            raise ValueError("flush_hz must lie between 1 and 60")
        if not 0.1 <= self.strip_hz <= 5:
            raise ValueError("strip_hz must lie between 0.1 and 5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything in ``settings.toml``; whatever it leaves out has its default.

    Attributes:
        keys: The keys of an action by its id, separated by commas, "" for none; whether there is such an
            action the screen finds out.
    """

    chat: ChatSettings = field(default_factory=ChatSettings)
    timeouts: PhaseTimeouts = field(default_factory=PhaseTimeouts)
    engine: EngineSettings = field(default_factory=EngineSettings)
    downloads: DownloadSettings = field(default_factory=DownloadSettings)
    licenses: LicenseSettings = field(default_factory=LicenseSettings)
    energy: EnergySettings = field(default_factory=EnergySettings)
    screen: ScreenSettings = field(default_factory=ScreenSettings)
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
