"""``foundry-tui`` and ``python -m foundry_tui``, the same program."""

__all__ = ["entry_point"]


def entry_point() -> None:
    """Run the program and end with its exit code."""
    try:
        # Late: importing it takes a while, in which somebody may press Ctrl+C.
        from foundry_tui.cli.main import main

        code = main()
    except KeyboardInterrupt:
        code = 130  # cli.exit_codes has it, and is not imported yet
    raise SystemExit(code)


if __name__ == "__main__":
    entry_point()
