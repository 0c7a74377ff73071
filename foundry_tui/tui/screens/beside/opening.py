"""What opens one question to several models from the chat, and what comes back into it."""

from collections.abc import Callable
from functools import partial
from random import SystemRandom

from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.models import ModelVariant
from foundry_tui.services.bench.beside import Question, conversation_of, plan_of
from foundry_tui.services.bench.order import order_here
from foundry_tui.services.opened import Services
from foundry_tui.tui.notices import tell
from foundry_tui.tui.panes.chat import ChatPane
from foundry_tui.tui.screens.beside.ask import Asked, BesideAskScreen, Picked
from foundry_tui.tui.screens.beside.board import Chosen
from foundry_tui.tui.screens.beside.screen import BesideScreen, Judges

__all__ = ["BesideOpening"]

_NOT_KEPT = "Conversations are not kept here, so there is none to go on with: F2 sets chat.save"


class BesideOpening:
    """Opens the page and the answers over the chat; remembers whom one asked last.

    Args:
        services: Everything shared.
        chat: Where the question is written, and where one goes on.
        models: Makes the list of those that are here.
        annotator: Who scored last in this session.
        keep: Told who scores.
    """

    def __init__(
        self,
        services: Services,
        chat: ChatPane,
        *,
        models: Callable[[], list[ModelVariant]],
        annotator: Callable[[], str],
        keep: Callable[[str], None],
    ) -> None:
        self._services = services
        self._chat = chat
        self._models = models
        self._last = Picked()
        self._judges = Judges(store=services.scores, rubric=services.rubric, annotator=annotator, keep=keep)

    def open(self, marked: tuple[str, ...], active: str | None) -> None:
        """Ask what is written in the chat's field: the marked models, else those of before."""
        models = marked or self._last.models or ((active,) if active is not None else ())
        picked = Picked(text=self._chat.composer.text, models=models, is_blind=self._last.is_blind)
        self._chat.app.push_screen(self._page(picked), self._begun)

    def _page(self, picked: Picked) -> BesideAskScreen:
        return BesideAskScreen(self._models(), picked, partial(self._begin, self._chat.options))

    def _next_page(self) -> BesideAskScreen:
        return self._page(self._last)

    def _begun(self, asked: Asked | None) -> None:
        if asked is None:
            return
        options = self._chat.options
        screen = BesideScreen(self._services.bench, asked, judges=self._judges, ask=self._next_page)
        self._chat.app.push_screen(screen, partial(self._go_on, options))

    async def _begin(self, options: ChatOptions, question: Question) -> str:
        services = self._services
        found = {model.id: model for model in self._models()}
        order = await order_here(services.client, [found.get(name) for name in question.models])
        run_id = await services.bench.begin(plan_of(question, options, order.order, SystemRandom()))
        self._last = Picked(models=question.models, is_blind=question.is_blind)
        return run_id

    def _go_on(self, options: ChatOptions, chosen: Chosen | None) -> None:
        """Put question and answer into a conversation of its own, and open it."""
        if chosen is None:
            return
        services = self._services
        if not services.dialogue.is_kept:
            tell(self._chat, _NOT_KEPT, is_warning=True)
            return
        conversation = conversation_of(chosen.state.run, chosen.request, options)
        services.recorder.submit(lambda: services.conversations.create(conversation))
        self._chat.open_conversation(conversation.id)
