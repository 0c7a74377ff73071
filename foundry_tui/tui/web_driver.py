"""Textual's driver for browsers, which here also notices when its server is gone."""

from textual.drivers.web_driver import WebDriver

__all__ = ["TabDriver"]


class TabDriver(WebDriver):
    """Ends the app at the end of its input.

    Without it the app and its engine would live on when the server is killed and cannot say goodbye.
    Named to Textual by ``TEXTUAL_DRIVER``; nothing imports it.
    """

    def run_input_thread(self) -> None:
        super().run_input_thread()
        if not self.exit_event.is_set():
            self.on_meta("quit", {})
