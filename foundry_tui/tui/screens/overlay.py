"""What opens over the workspace."""

from typing import ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static, TextArea
from textual.worker import active_worker

from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.models import LoadReport, ModelVariant
from foundry_tui.domain.predictions import ModelPrediction
from foundry_tui.metrics.fit import Fit
from foundry_tui.tui.presenters import detail_facts, fact_words
from foundry_tui.tui.widgets.fields import LineField, TextField

__all__ = ["ChatOptionsScreen", "ConfirmScreen", "DetailScreen", "FilteredOverlay", "Overlay"]

T = TypeVar("T")


class Overlay(ModalScreen[T | None]):
    """A box in the middle of the screen; the app closes it with Esc, without a result."""

    @property
    def is_open(self) -> bool:
        """Whether there is anything to draw on: what it follows may still change while it is being closed."""
        return self.is_attached and self.display

    @property
    def keeps_still(self) -> bool:
        """Whether nothing at all may be painted, what shows below it included."""
        return False

    @property
    def is_blind(self) -> bool:
        """Whether nothing may be named while it is open that ``covered`` covers."""
        return False

    def covered(self, text: str) -> str:
        """``text`` as it may be shown while this is open."""
        return text

    @property
    def is_waited_for(self) -> bool:
        """Whether an answer under way goes on only when this is answered."""
        return False

    def dismiss(self, result: T | None = None) -> AwaitComplete:
        """Close, and let go at once of what is still looked up for it; nothing if it is closed already.

        Textual lets go too, but only when the list that would show it is gone; and of two quick keys that
        both close something the second would close what lies below.
        """
        if self not in self.app.screen_stack:
            return AwaitComplete.nothing()  # type: ignore[no-any-return, no-untyped-call]
        own = active_worker.get(None)
        for worker in self.workers:
            if worker.node is self and worker is not own:
                worker.cancel()
        return super().dismiss(result)

    def escape(self) -> bool:
        """Leave what is open within; False if there is nothing, so that the whole overlay is left."""
        return False


class FilteredOverlay(Overlay[T]):
    """A list, and above it a field that narrows it.

    Attributes:
        FIELD: Selector of the field.
        LIST: Selector of the list, which has the focus while nobody types.
    """

    FIELD: ClassVar[str]
    LIST: ClassVar[str]

    def escape(self) -> bool:
        """Clear the field and go back to the list; False if there is nothing to clear or leave."""
        field = self.query_one(self.FIELD, Input)
        if not field.has_focus and not field.value:
            return False
        field.value = ""
        self.action_to_list()
        return True

    def action_filter(self) -> None:
        """Type what the list must have."""
        self.query_one(self.FIELD, Input).focus()

    def action_to_list(self) -> None:
        """Leave the field as it is and go to the list."""
        self.query_one(self.LIST).focus()

    @on(Input.Submitted)
    def _typed_to_the_end(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_to_list()


class ConfirmScreen(Overlay[bool]):
    """Asks one question; True only on a clear yes."""

    def __init__(self, question: str, yes: str) -> None:
        super().__init__()
        self._question = question
        self._yes = yes

    def compose(self) -> ComposeResult:
        with Vertical(classes="box small"):
            yield Label(self._question, markup=False)
            with Horizontal(classes="buttons"):
                yield Button(self._yes, id="yes", variant="error")
                yield Button("Stay", id="no", variant="primary")

    def on_mount(self) -> None:
        """The harmless answer has the focus."""
        self.query_one("#no", Button).focus()

    @on(Button.Pressed)
    def _answer(self, message: Button.Pressed) -> None:
        message.stop()
        self.dismiss(message.button.id == "yes")


class DetailScreen(Overlay[None]):
    """Everything known about one variant."""

    def __init__(
        self,
        model: ModelVariant,
        report: LoadReport | None,
        need: Fit,
        prediction: ModelPrediction | None = None,
    ) -> None:
        super().__init__()
        self._facts = detail_facts(model, report, need, prediction)

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box", can_focus=True) as box:
            box.border_title = "Model"
            box.border_subtitle = "Esc closes"
            for fact in self._facts:
                with Horizontal(classes="fact"):
                    yield Label(fact.label, classes="fact-label", markup=False)
                    yield Static(fact_words(fact), classes="fact-value", markup=False)


class ChatOptionsScreen(Overlay[ChatOptions]):
    """System prompt, temperature, longest answer, seed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save", priority=True, id="options.save")
    ]

    def __init__(self, options: ChatOptions) -> None:
        super().__init__()
        self._options = options

    def compose(self) -> ComposeResult:
        options = self._options
        with VerticalScroll(classes="box", can_focus=False) as box:
            box.border_title = "Chat options"
            box.border_subtitle = "Ctrl+S saves, Esc leaves as it was"
            yield Label("System prompt (empty: none)")
            yield TextField(options.system_prompt or "", id="system-prompt", compact=True)
            yield Label("Temperature, 0 to 2 (empty: the engine's own)")
            yield LineField(_shown(options.temperature), id="temperature", compact=True)
            yield Label("Longest answer, in tokens")
            yield LineField(str(options.max_tokens), id="max-tokens", compact=True)
            yield Label("Seed (empty: none)")
            yield LineField(_shown(options.seed), id="seed", compact=True)
            yield Static("", id="options-problem", classes="problem", markup=False)
            with Horizontal(classes="buttons"):
                yield Button("Save", id="save", variant="primary", compact=True)
                yield Button("Cancel", id="cancel", compact=True)

    def on_mount(self) -> None:
        """Begin where one writes."""
        self.query_one("#system-prompt", TextArea).focus()

    def action_save(self) -> None:
        """Close with the new options, or say which field cannot be used."""
        try:
            options = ChatOptions(
                system_prompt=self.query_one("#system-prompt", TextArea).text.strip() or None,
                temperature=self._number("temperature", 0, 2),
                max_tokens=self._whole("max-tokens", 1) or self._options.max_tokens,
                seed=self._whole("seed", None),
                timeouts=self._options.timeouts,
            )
        except ValueError as error:
            self.query_one("#options-problem", Static).update(str(error))
            return
        self.dismiss(options)

    @on(Button.Pressed)
    def _pressed(self, message: Button.Pressed) -> None:
        message.stop()
        if message.button.id == "save":
            self.action_save()
        else:
            self.dismiss(None)

    @on(Input.Submitted)
    def _entered(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_save()

    def _number(self, field: str, low: float, high: float) -> float | None:
        text = self.query_one(f"#{field}", Input).value.strip()
        if not text:
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not low <= value <= high:
            raise ValueError(f"{field}: a number from {low:g} to {high:g}, please")
        return value

    def _whole(self, field: str, low: int | None) -> int | None:
        text = self.query_one(f"#{field}", Input).value.strip()
        if not text:
            return None
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"{field}: a whole number, please") from None
        if low is not None and value < low:
            raise ValueError(f"{field}: {low} at least, please")
        return value


def _shown(value: float | None) -> str:
    return "" if value is None else str(value)
