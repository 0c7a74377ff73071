"""Where a conversation is read: the transcript, the search in it, and what is taken out of it."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical

from foundry_tui.domain.text import clean_line, clean_text, shorten
from foundry_tui.tui.notices import tell
from foundry_tui.tui.screens.overlay import ConfirmScreen
from foundry_tui.tui.widgets.find_bar import FindBar
from foundry_tui.tui.widgets.transcript import Transcript

__all__ = ["Reader"]


class Reader(Vertical):
    """A transcript with a find bar above it; copies, and opens links after a question."""

    DEFAULT_CSS = "Reader { height: 1fr; }"

    def __init__(self, *, empty_hint: str, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._empty_hint = empty_hint

    @property
    def transcript(self) -> Transcript:
        """The conversation."""
        return self.query_one(Transcript)

    def compose(self) -> ComposeResult:
        yield FindBar(id="find")
        yield Transcript(empty_hint=self._empty_hint, id="transcript")

    def find(self) -> None:
        """Search in the transcript."""
        self.query_one(FindBar).open()

    def leave_find(self) -> bool:
        """Stop searching; False if nobody does."""
        if not self.query_one(FindBar).close():
            return False
        self.transcript.focus()
        return True

    @on(Transcript.SearchWanted)
    def _search(self, message: Transcript.SearchWanted) -> None:
        message.stop()
        self.find()

    @on(Transcript.SearchChanged)
    def _searched(self, message: Transcript.SearchChanged) -> None:
        message.stop()
        self.query_one(FindBar).show_count(message.state.current, message.state.total)

    @on(FindBar.Wanted)
    def _look_for(self, message: FindBar.Wanted) -> None:
        message.stop()
        if message.text:
            self.transcript.search(message.text)
        else:
            self.transcript.clear_search()

    @on(FindBar.Stepped)
    def _step_match(self, message: FindBar.Stepped) -> None:
        message.stop()
        if message.step > 0:
            self.transcript.search_next()
        else:
            self.transcript.search_previous()

    @on(Transcript.CopyWanted)
    def _copy(self, message: Transcript.CopyWanted) -> None:
        message.stop()
        # What a clipboard pastes into a shell must not be a control either.
        self.app.copy_to_clipboard(clean_text(message.text))
        tell(self, f"{message.what} copied, {len(message.text):,} characters")

    @on(Transcript.LinkPressed)
    def _ask_to_open(self, message: Transcript.LinkPressed) -> None:
        """A model wrote it: the whole address is shown before anything is opened."""
        message.stop()
        url, shown = message.url, clean_line(message.url)
        # Beyond ASCII a letter can look like another: the address would not be the one that is read.
        if not url.startswith(("http://", "https://")) or shown != url or not url.isascii():
            tell(self, f"Not opened, it is no plain web address: {shorten(shown, 200)}", is_warning=True)
            return

        def answer(is_sure: bool | None) -> None:
            if is_sure:
                self.app.open_url(url)

        self.app.push_screen(ConfirmScreen(f"Open this address in a browser?\n\n{url}", "Open"), answer)
