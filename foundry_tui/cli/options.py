"""The options that every command takes, before its name and after."""

import argparse
from pathlib import Path
from typing import Any

from foundry_tui.launching import LaunchOptions

__all__ = ["add_common", "launch_options", "port_number"]

_PHASES = {
    "connect": "connect_s",
    "headers": "headers_s",
    "first-token": "first_token_s",
    "between": "between_s",
    "total": "total_s",
}


def add_common(parser: argparse.ArgumentParser, *, top: bool) -> None:
    """Add the common options; on a command they are only set where they were given."""

    def default(value: object) -> object:
        return value if top else argparse.SUPPRESS

    group = parser.add_argument_group("common options")
    group.add_argument(
        "--endpoint",
        metavar="URL",
        default=default(None),
        help="use this OpenAI-compatible server, /v1 optional (FOUNDRY_LOCAL_ENDPOINT)",
    )
    group.add_argument(
        "--api-key-env",
        metavar="NAME",
        default=default(None),
        help="environment variable that holds the endpoint's key",
    )
    group.add_argument(
        "--config", metavar="DIR", type=Path, default=default(None), help="folder of settings.toml and others"
    )
    group.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        default=default(None),
        help="where the app keeps its data (FOUNDRY_TUI_DATA_DIR)",
    )
    group.add_argument(
        "--model-cache-dir", metavar="DIR", type=Path, default=default(None), help="where models are kept"
    )
    group.add_argument(
        "--catalog-url",
        metavar="URL",
        action="append",
        dest=_repeatable("catalog_url", parser),
        default=argparse.SUPPRESS,
        help="catalog; repeatable",
    )
    group.add_argument(
        "--catalog-region", metavar="TEXT", default=default(None), help="region of the catalog"
    )
    group.add_argument(
        "--port",
        metavar="N",
        type=port_number,
        default=default(None),
        help="fixed port of the managed web service; default: a free one",
    )
    group.add_argument(
        "--offline", action="store_true", default=default(False), help="never use the network beyond loopback"
    )
    group.add_argument(
        "--store",
        metavar="URL",
        default=default(None),
        help="keep runs of benchmarks there, sqlite:///PATH; default: with everything else",
    )
    group.add_argument(
        "--timeout",
        metavar="PHASE=SECONDS",
        type=_timeout,
        action="append",
        dest=_repeatable("timeout", parser),
        default=argparse.SUPPRESS,
        help="connect 5, headers 30, first-token 300, between 30, total 900",
    )
    group.add_argument("--verbose", action="store_true", default=default(False), help="tell more on stderr")
    group.add_argument(
        "--log-file", metavar="PATH", type=Path, default=default(None), help="write what is told there too"
    )
    group.add_argument(
        "--no-color", action="store_true", default=default(False), help="no colours (also NO_COLOR)"
    )


def launch_options(arguments: argparse.Namespace, *, demo: bool = False) -> LaunchOptions:
    """The parsed options as the composition root takes them."""
    return LaunchOptions(
        endpoint=arguments.endpoint,
        api_key_env=arguments.api_key_env,
        config_dir=arguments.config,
        data_dir=arguments.data_dir,
        model_cache_dir=arguments.model_cache_dir,
        catalog_urls=tuple(_all_of("catalog_url", arguments)),
        catalog_region=arguments.catalog_region,
        port=arguments.port,
        offline=arguments.offline,
        store=arguments.store,
        timeouts=tuple(_all_of("timeout", arguments)),
        demo=demo,
    )


def _repeatable(name: str, parser: argparse.ArgumentParser) -> str:
    """A place of its own for each parser: a command's list would replace the one given before its name."""
    return f"{name} of {parser.prog}"


def _all_of(name: str, arguments: argparse.Namespace) -> list[Any]:
    places = [place for place in vars(arguments) if place.startswith(f"{name} of ")]
    # The outer parser's program name is the beginning of the inner one's.
    return [value for place in sorted(places) for value in getattr(arguments, place)]


def port_number(text: str) -> int:
    """The port that ``text`` names.

    Raises:
        ArgumentTypeError: It names none.
    """
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text!r}")
    return int(text)


def _timeout(text: str) -> tuple[str, float]:
    phase, separator, seconds = text.partition("=")
    try:
        value = float(seconds)
    except ValueError:
        value = -1.0
    if phase not in _PHASES or not separator or not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(
            f"like first-token=60, with one of {', '.join(_PHASES)}; not {text!r}"
        )
    return _PHASES[phase], value
