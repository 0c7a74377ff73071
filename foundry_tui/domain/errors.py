"""Everything that can go wrong in words fit to show.

FoundryTuiError
├── BadInput                 a file, an option or a folder that cannot be used
├── StorageProblem           the data directory cannot be written
└── EngineError
    ├── EngineUnavailable    no engine or endpoint answers
    ├── EngineBusy           somebody else holds the engine
    ├── EngineDied           the child process ended
    │   └── KilledForMemory  the system ended it for want of memory
    ├── NotSupported         this kind of engine cannot do that
    ├── ModelNotFound
    ├── ModelRefused         a model cannot be loaded, unloaded, registered or removed
    │   └── OutOfMemory      there is not enough memory to load it
    └── GenerationFailed     a request that was sent ended without an answer
"""

from foundry_tui.domain.chat import Outcome

__all__ = [
    "ENGINE_ERRORS",
    "BadInput",
    "EngineBusy",
    "EngineDied",
    "EngineError",
    "EngineUnavailable",
    "FoundryTuiError",
    "GenerationFailed",
    "KilledForMemory",
    "ModelNotFound",
    "ModelRefused",
    "NotSupported",
    "OutOfMemory",
    "StorageProblem",
]


class FoundryTuiError(Exception):
    """Base of all our errors.

    Attributes:
        message: What happened, naming the place; one sentence, fit to show.
        remedy: What the user can do about it; None if there is nothing to say.
    """

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return self.message


class BadInput(FoundryTuiError):
    """A file, an option or a folder given by the user cannot be used.  Nothing was changed."""


class StorageProblem(FoundryTuiError):
    """The data directory cannot be created or written."""


class EngineError(FoundryTuiError):
    """An engine could not do what was asked."""


class EngineUnavailable(EngineError):
    """No engine or endpoint answers."""


class EngineBusy(EngineError):
    """Somebody else holds the engine: a measurement and a chat never share it."""


class EngineDied(EngineError):
    """The child process that hosts the engine ended while it was needed."""


class KilledForMemory(EngineDied):
    """It ended because memory ran out: the system ended it, or it ended itself."""


class NotSupported(EngineError):
    """This kind of engine or endpoint cannot do what was asked."""


class ModelNotFound(EngineError):
    """No model of that name is known."""


class ModelRefused(EngineError):
    """A model could not be loaded, unloaded, registered or unregistered; the message has the reason."""


class OutOfMemory(ModelRefused):
    """There is not enough memory to load a model; the message names it, the need and what is free."""


class GenerationFailed(EngineError):
    """A request ended without a complete answer.  The events before it keep their readings.

    Attributes:
        outcome: Which kind of failure it was.
        end_ns: Clock reading of the end, on the same clock as the events; None if unknown.
        response_id: The engine's name for the answer; None if it gave none.
    """

    def __init__(
        self,
        message: str,
        *,
        outcome: Outcome,
        end_ns: int | None = None,
        response_id: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.outcome = outcome
        self.end_ns = end_ns
        self.response_id = response_id


# By name, so that an error can cross the pipe between child and parent and keep its class.
ENGINE_ERRORS: dict[str, type[EngineError]] = {
    error.__name__: error
    for error in (
        EngineError,
        EngineUnavailable,
        EngineBusy,
        EngineDied,
        KilledForMemory,
        NotSupported,
        ModelNotFound,
        ModelRefused,
        OutOfMemory,
        GenerationFailed,
    )
}
