"""Messages that cross panes.  Past tense, data only."""

from dataclasses import dataclass

from textual.message import Message

__all__ = ["DownloadWanted", "ModelActivated", "ModelDetailWanted", "RaceWanted"]


@dataclass
class DownloadWanted(Message):
    """The user wants a model on this disk; the workspace opens the offer."""

    model_id: str


@dataclass
class ModelActivated(Message):
    """The user picked the model to talk to.

    Posted by the catalog and cache panes; the workspace answers by setting its ``active_model``, which the
    chat pane is bound to.
    """

    model_id: str


@dataclass
class ModelDetailWanted(Message):
    """The user wants to read everything about a model; the workspace opens the detail screen."""

    model_id: str


@dataclass
class RaceWanted(Message):
    """The user wants the variants of a model's alias measured against each other; the workspace plans it."""

    model_id: str
