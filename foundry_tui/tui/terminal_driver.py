"""Textual's driver for terminals, which here also survives a stop that nobody announced."""

from textual.drivers.linux_driver import LinuxDriver

__all__ = ["TerminalDriver"]


class TerminalDriver(LinuxDriver):
    """Leaves the terminal before it enters it a second time.

    A process that goes on after SIGSTOP is told so by SIGCONT, as after Ctrl+Z, and Textual then starts
    everything anew beside what still runs: two threads read the keyboard, of which one never ends, so that
    quitting hangs, and the terminal is left as the app has set it.
    """

    _is_in_use = False

    def start_application_mode(self) -> None:
        if self._is_in_use:
            self.suspend_application_mode()
        self._is_in_use = True
        super().start_application_mode()  # type: ignore[no-untyped-call]  # Textual's own

    def stop_application_mode(self) -> None:
        self._is_in_use = False
        super().stop_application_mode()
