"""The shapes of the configuration files: one declaration parses, checks and writes the JSON Schema.

What the settings screen says about a key stands here too: its description, and, where the type does not
tell it, its kind and when it takes effect, as annotations that pydantic passes over.

The only importer of pydantic, which costs a tenth of a second: import this module late.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, RootModel

from foundry_tui.config.check_shapes import CheckEntry
from foundry_tui.config.values import (
    ChatSettings,
    DownloadSettings,
    EnergySettings,
    EngineSettings,
    LicenseSettings,
    ScreenSettings,
)
from foundry_tui.domain.chat import PhaseTimeouts
from foundry_tui.domain.settings import SettingKind, TakesEffect

__all__ = [
    "ACTION_ID",
    "CRITERION_ID",
    "ENVIRONMENT_NAME",
    "KEY_NAMES",
    "NOT_BLANK",
    "AnyModels",
    "AnyPrompts",
    "BareModels",
    "BarePrompts",
    "ModelsFile",
    "PlanFile",
    "PromptsFile",
    "RubricFile",
    "SettingsFile",
]

NOT_BLANK = r"\S"
ENVIRONMENT_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"
ACTION_ID = r"^[a-z_]+(\.[a-z_]+)*$"
CRITERION_ID = "^[a-z][a-z0-9_-]{0,31}$"
KEY_NAMES = r"^( *[^\s,]+ *(, *[^\s,]+ *)*)?$"

# pydantic writes a pattern for keys, but not that keys which do not match it are refused.
_NO_OTHER_KEYS: dict[str, JsonValue] = {"additionalProperties": False}
_CHAT = ChatSettings()
_TIMEOUTS = PhaseTimeouts()
_ENGINE = EngineSettings()
_DOWNLOADS = DownloadSettings()
_LICENSES = LicenseSettings()
_ENERGY = EnergySettings()
_SCREEN = ScreenSettings()

Text = Annotated[str, Field(pattern=NOT_BLANK)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Minutes = Annotated[float, Field(gt=0, allow_inf_nan=False)]
ActionId = Annotated[str, Field(pattern=ACTION_ID)]
KeyNames = Annotated[
    str,
    Field(
        pattern=KEY_NAMES,
        description='Keys of an action, such as "ctrl+n" or "f5, ctrl+r"; "" takes its keys away.',
    ),
]


class _Shape(BaseModel):
    # Strict: "3" is not a number and true is not 1.  Python's expressions, as values.py strips by Python's
    # notion of white space, which pydantic's own engine does not share.
    model_config = ConfigDict(extra="forbid", strict=True, regex_engine="python-re")


class Model(_Shape):
    """What is noted about one model."""

    capabilities: list[Text] = Field(default=[], description="What the model is good for, in your own words.")
    size_mb: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Download size in megabytes."
    )
    priority: int | None = Field(
        default=None, description="Among models that fit alike, the lowest number goes first."
    )


class ModelsFile(_Shape):
    """Notes about models, by alias."""

    schema_url: str | None = Field(
        default=None, alias="$schema", description="For editors: where this schema lies."
    )
    models: dict[Text, Model] = Field(
        description="What is noted about each model, by its alias.", json_schema_extra=_NO_OTHER_KEYS
    )


class BareModels(RootModel[dict[Text, Model]]):
    """The short form: the models themselves, by alias."""

    model_config = ConfigDict(strict=True, regex_engine="python-re", json_schema_extra=_NO_OTHER_KEYS)


class AnyModels(RootModel[ModelsFile | BareModels]):
    """Notes about models: an object with the key models, or the short form, only what is in it."""

    # Only for the schema: a union's errors speak of both forms at once.


class PromptEntry(_Shape):
    """One prompt."""

    id: Text = Field(description="Its name in results; once in a set.")
    text: Text = Field(description="What is sent, exactly as it stands here.")
    system: Text | None = Field(default=None, description="Sent before it as the system message.")
    aspects: list[Text] = Field(default=[], description="What a good answer mentions or keeps to.")
    tags: list[Text] = Field(default=[], description="Words to pick prompts by.")
    checks: list[CheckEntry] = Field(default=[], description="What a program looks for in an answer.")


class PromptsFile(_Shape):
    """A set of prompts."""

    schema_url: str | None = Field(
        default=None, alias="$schema", description="For editors: where this schema lies."
    )
    prompts: list[PromptEntry] = Field(min_length=1, description="The prompts, in the order they are run.")


class BarePrompts(RootModel[Annotated[list[Text], Field(min_length=1)]]):
    """The short form: only the texts; their ids are p1, p2 and so on."""

    model_config = ConfigDict(strict=True, regex_engine="python-re")


class AnyPrompts(RootModel[PromptsFile | BarePrompts]):
    """A set of prompts: an object with the key prompts, or the short form, a list of texts."""

    # Only for the schema: a union's errors speak of both forms at once.


class RubricCriterion(_Shape):
    """One thing that answers are judged by, from 1 to 5."""

    id: Annotated[str, Field(pattern=CRITERION_ID)] = Field(description="Its column in a sheet.")
    name: Text = Field(description="For people to read.")
    low: Text = Field(description="What a 1 means.")
    high: Text = Field(description="What a 5 means.")


class RubricFile(_Shape):
    """What answers are scored by; whatever changes in it makes another rubric."""

    schema_url: str | None = Field(
        default=None, alias="$schema", description="For editors: where this schema lies."
    )
    name: Text = Field(description="Its name in reports.")
    criteria: list[RubricCriterion] = Field(min_length=1, max_length=9, description="In the order of asking.")


class Precision(_Shape):
    """Further rounds, until the median latency of each model is known well enough."""

    half_width_share: Annotated[float, Field(gt=0, lt=1)] = Field(
        default=0.05, description="Half of its 95 % interval, as a share of the median: 0.05 is ±5 %."
    )
    max_rounds: int = Field(default=50, ge=1, description="Not more than so many rounds in all.")
    max_s: Seconds = Field(default=3600.0, description="Nor a new round after so many seconds.")


class PlanTimeouts(_Shape):
    """How long each wait of a request may last, in seconds; what is absent is as in the settings."""

    connect_s: Seconds | None = Field(default=None, description="To reach the server.")
    headers_s: Seconds | None = Field(default=None, description="Until the response headers.")
    first_token_s: Seconds | None = Field(default=None, description="Until the first text.")
    between_s: Seconds | None = Field(default=None, description="Between two pieces of text.")
    total_s: Seconds | None = Field(default=None, description="For the whole answer.")


class PlanLimits(_Shape):
    """What ends a run early, so that it can be resumed; what is absent has no limit."""

    max_s: Seconds | None = Field(
        default=None, description="No request is begun so many seconds after the run began, or was resumed."
    )
    min_free_disk_bytes: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="Nor with less left on the disk that keeps the runs."
    )
    max_temperature_c: Annotated[float, Field(ge=20, le=150)] | None = Field(
        default=None, description="Hotter than this, °C, nothing is asked until the machine has cooled down."
    )


class PlanGoodput(_Shape):
    """Limits by which answers are judged as fast enough; what is absent has no limit."""

    name: Text = Field(default="own limits", description="What these limits are called.")
    ttft_s: Seconds | None = Field(default=None, description="The longest wait for the first token.")
    per_token_s: Seconds | None = Field(
        default=None, description="The longest mean time for each further token."
    )


class PlanFile(_Shape):
    """What a benchmark is to do; every key may be left out.  ``run.plan`` of a results file is one."""

    schema_url: str | None = Field(
        default=None, alias="$schema", description="For editors: where this schema lies."
    )
    name: str | None = Field(default=None, description="What the run is called.")
    models: list[Text] | None = Field(default=None, min_length=1, description="Aliases or exact variants.")
    prompts: list[Text] | None = Field(
        default=None,
        min_length=1,
        description="Texts; with prompt_set the ids of those of its prompts that are asked.",
    )
    prompt_set: list[PromptEntry] | None = Field(
        default=None, min_length=1, description="Prompts with ids and system prompts, as in prompts.json."
    )
    rounds: int | None = Field(default=None, ge=1, description="Timed requests of each model and prompt.")
    warmup: int | None = Field(default=None, ge=0, description="Requests to each model before these.")
    max_tokens: int | None = Field(default=None, ge=1, description="The longest answer, in tokens.")
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        default=None, description="0 to 2; null leaves it to the engine, absent is the default."
    )
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = Field(
        default=None, description="Sent with each request, and draws their order."
    )
    concurrency: Annotated[int, Field(ge=1, le=64)] | None = Field(
        default=None, description="Requests under way at once, 1 to 64."
    )
    order: Literal["interleaved", "blocked"] | None = Field(
        default=None, description="blocked: model by model; absent: interleaved if they fit into memory."
    )
    deterministic: bool | None = Field(
        default=None, description="true: temperature 0, a seed, and the certificate before timing."
    )
    probes: bool | None = Field(
        default=None, description="false: neither coherence nor prefill is probed before the timed requests."
    )
    cold_start: bool | None = Field(
        default=None, description="true: each model is loaded anew for a first request, timed apart."
    )
    unloads: bool | None = Field(
        default=None, description="false: what was loaded for the run stays loaded at the server."
    )
    precision: Precision | None = Field(
        default=None, description="Further rounds until the latency is known well enough; absent: none."
    )
    stops_repetition: bool | None = Field(
        default=None,
        description="true: an answer that goes round in circles is stopped, on somebody else's server too;"
        " null: only where the runtime is our own.",
    )
    out_of_memory: Literal["none", "own", "all"] | None = Field(
        default=None,
        description="What may be unloaded for a model that ran out of memory: nothing, what was loaded for"
        " the run (the default), or all there is.",
    )
    limits: PlanLimits | None = Field(default=None, description="What ends the run early.")
    goodput: Literal["chat", "summarise", "batch"] | PlanGoodput | None = Field(
        default=None, description="By which limits answers are judged as fast enough; absent: by none."
    )
    timeouts: PlanTimeouts | None = Field(default=None, description="The longest waits of a request.")


class Chat(_Shape):
    """How a chat asks, and what is kept of it."""

    system_prompt: Annotated[Text | None, SettingKind.PROSE] = Field(
        default=_CHAT.system_prompt, description="System message of a new chat; absent: none is sent."
    )
    temperature: Annotated[float, Field(ge=0, le=2)] | None = Field(
        default=_CHAT.temperature, description="0 to 2; absent: the engine's own."
    )
    max_tokens: int = Field(default=_CHAT.max_tokens, ge=1, description="The longest answer, in tokens.")
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = Field(
        default=_CHAT.seed, description="Makes sampling repeatable where the engine can; absent: its own."
    )
    history: int = Field(default=_CHAT.history, ge=0, description="How many prompts are remembered; 0: none.")
    # Who keeps them is made with the app.
    save: Annotated[bool, TakesEffect.NEXT_START] = Field(
        default=_CHAT.save, description="true: conversations are kept."
    )
    warn_at_context_share: float = Field(
        default=_CHAT.warn_at_context_share,
        ge=0,
        le=1,
        description="Share of the model's context, 0 to 1, from which on the prompt warns.",
    )


class Timeouts(_Shape):
    """How long each wait of a request may last."""

    # Also given to the client that the engine makes once.
    connect_s: Annotated[Seconds, TakesEffect.NEXT_START] = Field(
        default=_TIMEOUTS.connect_s, description="Seconds to reach the server."
    )
    headers_s: Seconds = Field(default=_TIMEOUTS.headers_s, description="Seconds until the response headers.")
    first_token_s: Seconds = Field(
        default=_TIMEOUTS.first_token_s, description="Seconds until the first text."
    )
    between_s: Seconds = Field(default=_TIMEOUTS.between_s, description="Seconds between two pieces of text.")
    total_s: Seconds = Field(default=_TIMEOUTS.total_s, description="Seconds for the whole answer.")


class Engine(_Shape):
    """Which engine answers, and where it keeps its files."""

    endpoint: Annotated[Text | None, TakesEffect.NEXT_START] = Field(
        default=_ENGINE.endpoint, description="Base URL of a server to use; absent: our own is run."
    )
    api_key_env: Annotated[Annotated[str, Field(pattern=ENVIRONMENT_NAME)] | None, TakesEffect.NEXT_START] = (
        Field(
            default=_ENGINE.api_key_env,
            description="Name of the environment variable that holds the API key; never the key itself.",
        )
    )
    model_cache_dir: Annotated[Text | None, TakesEffect.NEXT_START] = Field(
        default=_ENGINE.model_cache_dir, description="Folder for downloaded models; absent: the app's own."
    )
    port: Annotated[Annotated[int, Field(ge=1, le=65535)] | None, TakesEffect.NEXT_START] = Field(
        default=_ENGINE.port, description="Port of the managed web service; absent: a free one."
    )
    offline: Annotated[bool, TakesEffect.NEXT_START] = Field(
        default=_ENGINE.offline, description="true: nothing that needs the network is tried."
    )
    warm_every_min: Minutes | None = Field(
        default=_ENGINE.warm_every_min,
        description="A short prompt to each loaded model after so many idle minutes; absent: never.",
    )
    unload_after_min: Minutes | None = Field(
        default=_ENGINE.unload_after_min,
        description="Models are unloaded after so many idle minutes; absent: never.",
    )
    memory_limit_percent: int = Field(
        default=_ENGINE.memory_limit_percent,
        ge=1,
        le=100,
        description="A load that would fill more of the RAM or the GPU's memory asks first, 1 to 100.",
    )


class Downloads(_Shape):
    """How models are fetched."""

    quiet_hour: int = Field(
        default=_DOWNLOADS.quiet_hour,
        ge=0,
        le=23,
        description="Hour at which a download that waits for quiet begins, 0 to 23.",
    )


class Licenses(_Shape):
    """Which licences are taken without a question, and which never."""

    allow: str = Field(
        default=_LICENSES.allow,
        description='Licences that need no question, such as "MIT, apache-*".',
    )
    deny: str = Field(
        default=_LICENSES.deny,
        description="Licences whose models are never fetched; stronger than allow.",
    )


class Energy(_Shape):
    """What energy costs, and what somebody else's tokens would."""

    price_per_kwh: Price | None = Field(
        default=_ENERGY.price_per_kwh, description="Of a kilowatt-hour; absent: no money is counted."
    )
    currency: str = Field(default=_ENERGY.currency, description="Of these prices, as it is to be shown.")
    cloud_price_in: Price | None = Field(
        default=_ENERGY.cloud_price_in,
        description="Of a million prompt tokens of a cloud service to compare with; absent: none is named.",
    )
    cloud_price_out: Price | None = Field(
        default=_ENERGY.cloud_price_out, description="Likewise of a million output tokens."
    )


class Screen(_Shape):
    """How the screen looks."""

    theme: Annotated[Text, SettingKind.CHOICE] = Field(default=_SCREEN.theme, description="Name of a theme.")
    animations: bool = Field(
        default=_SCREEN.animations, description="false: nothing on the screen moves by itself."
    )
    plain_ribbon: bool = Field(
        default=_SCREEN.plain_ribbon,
        description="true: the ribbon of gaps between tokens is drawn in plain characters.",
    )
    flush_hz: int = Field(
        default=_SCREEN.flush_hz, ge=1, le=60, description="Redraws of streaming text per second, 1 to 60."
    )
    strip_hz: float = Field(
        default=_SCREEN.strip_hz,
        ge=0.1,
        le=5,
        description="Readings of memory and processors shown per second, 0.1 to 5.",
    )


class SettingsFile(_Shape):
    """Everything that the settings screen offers."""

    chat: Chat = Field(default_factory=Chat, description="What a new chat starts with, and what is kept.")
    timeouts: Timeouts = Field(default_factory=Timeouts, description="The longest waits of a request.")
    engine: Engine = Field(default_factory=Engine, description="The engine that answers.")
    downloads: Downloads = Field(default_factory=Downloads, description="Downloads of models.")
    licenses: Licenses = Field(default_factory=Licenses, description="Licences by name, with commas; * any.")
    energy: Energy = Field(default_factory=Energy, description="Prices of energy, and of tokens elsewhere.")
    screen: Screen = Field(default_factory=Screen, description="The looks of the screen.")
    keys: dict[ActionId, KeyNames] = Field(
        default={},
        description="Keys of actions by their ids; F1 lists them.",
        json_schema_extra=_NO_OTHER_KEYS,
    )
