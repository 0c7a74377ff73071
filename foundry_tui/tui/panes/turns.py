"""The turns of a conversation as messages of a transcript: which is which, and what stands beside it."""

from foundry_tui.domain.chat import Role
from foundry_tui.domain.conversations import Turn
from foundry_tui.reports.chat import describe_turn
from foundry_tui.services.dialogue import Dialogue
from foundry_tui.tui.widgets.transcript import MessageKind, Transcript

__all__ = ["TurnsOnScreen"]

# A prompt of so many rows is a file or a paste: it folds itself, the answer is what one wants to read.
_LONG_PROMPT_ROWS = 24


class TurnsOnScreen:
    """Shows the path of ``dialogue`` in ``transcript``, among remarks that belong to no turn."""

    def __init__(self, transcript: Transcript, dialogue: Dialogue) -> None:
        self._transcript = transcript
        self._dialogue = dialogue
        self._turns: dict[int, str] = {}  # by the keys of their messages

    def add(self, turn: Turn) -> None:
        """Show a turn that is complete, or that was cut off by the end of the app."""
        transcript = self._transcript
        if turn.role is Role.USER:
            key = transcript.add_message("You", turn.text, kind=MessageKind.USER)
            if turn.text.count("\n") >= _LONG_PROMPT_ROWS:
                transcript.set_folded(key, True)
        else:
            key = transcript.begin_answer(turn.model_id or "answer")
            transcript.append_reasoning(key, turn.reasoning)
            transcript.append(key, turn.text)
            transcript.finish_answer(key)
            words = describe_turn(turn)
            is_whole = turn.trace is not None and turn.trace.error is None
            transcript.set_footer(key, words, problem=not is_whole)
        self._turns[key] = turn.id

    def adopt(self, key: int, turn_id: str) -> None:
        """The message of that key shows that turn."""
        self._turns[key] = turn_id
        self.note_branches()

    def show_from(self, place: int) -> None:
        """Show the path from its turn number ``place`` on; what stands before it stays."""
        with self._transcript.arranged_once():
            if place == 0:
                self._transcript.clear()
                self._turns.clear()
            for turn in self._dialogue.conversation.path()[place:]:
                self.add(turn)
            self.note_branches()

    def drop_from(self, turn_id: str) -> None:
        """Take a turn and everything below it off the screen."""
        if (key := self._key_of(turn_id)) is not None:
            self._transcript.remove_from(key)
            self._turns = {other: known for other, known in self._turns.items() if other < key}

    def note_branches(self) -> None:
        """Say at each fork which branch this is."""
        branches = self._dialogue.conversation.branches()
        for key, turn_id in self._turns.items():
            if turn_id in branches:
                number, count = branches[turn_id]
                self._transcript.set_note(key, f"branch {number} of {count}")

    def reveal(self, turn_id: str) -> None:
        """Bring a turn into view, as the one that is read."""
        if (key := self._key_of(turn_id)) is not None:
            self._transcript.move_to(key)

    def turn_of(self, key: int) -> Turn | None:
        """The turn that the message of that key shows; None for a remark."""
        return self._dialogue.conversation.turn(self._turns.get(key, ""))

    def at_cursor(self, role: Role | None = None) -> Turn | None:
        """The turn that is read, else the last one; of ``role``, unless that is None."""
        key = self._transcript.cursor_key
        turn = None if key is None else self.turn_of(key)
        if turn is not None and role in (None, turn.role):
            return turn
        path = self._dialogue.conversation.path()
        return next((turn for turn in reversed(path) if role in (None, turn.role)), None)

    def _key_of(self, turn_id: str) -> int | None:
        return next((key for key, known in self._turns.items() if known == turn_id), None)
