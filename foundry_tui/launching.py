"""What the user asked for, decided: options over environment over ``settings.toml`` over defaults."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import platformdirs

from foundry_tui.config.locate import config_folders, find_file
from foundry_tui.config.settings import load_settings
from foundry_tui.config.values import EngineSettings
from foundry_tui.demo import DEMO_MODEL_ID
from foundry_tui.domain.chat import ChatOptions
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.domain.settings import SettingOrigin, SettingOverride, SettingValue
from foundry_tui.domain.tariff import Tariff
from foundry_tui.domain.text import clean_line
from foundry_tui.engines.hosting.configs import EndpointConfig, HostConfig, ManagedConfig
from foundry_tui.services.setup import LicensePolicy, Setup, WarmthOptions

__all__ = [
    "Launch",
    "LaunchOptions",
    "default_data_dir",
    "endpoint_address",
    "host_of",
    "resolve",
]

# Names in any script, IPv4 and IPv6; what else a parser lets pass would fail later and elsewhere.
_HOST = re.compile(r"[\w-]+(\.[\w-]+)*\.?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[\w.-]+)?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOptions:
    """What the command line said; None where it said nothing.

    Attributes:
        store: URL of where runs are kept.
        timeouts: Phase and seconds, as in ``("first_token_s", 60.0)``.
        demo: The bundled model on a cache of its own, without the network.
    """

    endpoint: str | None = None
    api_key_env: str | None = None
    config_dir: Path | None = None
    data_dir: Path | None = None
    model_cache_dir: Path | None = None
    catalog_urls: tuple[str, ...] = ()
    catalog_region: str | None = None
    port: int | None = None
    offline: bool = False
    store: str | None = None
    timeouts: tuple[tuple[str, float], ...] = ()
    demo: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Everything decided: options over environment over ``settings.toml`` over defaults.

    Attributes:
        options: What it was decided from.
        overrides: By setting, what an option or the environment decided whatever the file says.
        store_path: The file that runs are kept in; None keeps them with everything else.
    """

    options: LaunchOptions
    host: HostConfig
    setup: Setup
    overrides: Mapping[str, SettingOverride]
    store_path: Path | None = None


def resolve(options: LaunchOptions, environment: Mapping[str, str] = os.environ) -> Launch:
    """Decide what to open; makes the folders that are missing.

    Raises:
        BadInput: An option, a setting or a variable cannot be used; nothing was changed.
        StorageProblem: The data directory cannot be written.
    """
    store_path = None if options.store is None else _store_path(options.store)
    settings_path = find_file("settings.toml", config_folders(options.config_dir))
    settings = load_settings(settings_path)
    engine = settings.engine
    timeouts = replace(settings.timeouts, **dict(options.timeouts))
    offline = options.offline or engine.offline or options.demo
    endpoint = options.endpoint or environment.get("FOUNDRY_LOCAL_ENDPOINT") or engine.endpoint
    key_name = options.api_key_env or engine.api_key_env
    data_dir = _absolute(options.data_dir or default_data_dir(environment))
    logs_dir = data_dir / "logs"
    if endpoint and not options.demo:
        host: HostConfig = _endpoint_host(endpoint, key_name, timeouts.connect_s, environment)
        _make_folders(data_dir, logs_dir)
    else:
        host = _managed_host(options, engine, data_dir, offline=offline)
    setup = Setup(
        chat=ChatOptions(
            system_prompt=settings.chat.system_prompt,
            max_tokens=settings.chat.max_tokens,
            temperature=settings.chat.temperature,
            seed=settings.chat.seed,
            timeouts=timeouts,
        ),
        theme=settings.screen.theme,
        where=_place(host, is_demo=options.demo),
        is_offline=offline,
        start_with=DEMO_MODEL_ID if options.demo else None,
        settings_path=settings_path,
        data_dir=data_dir,
        logs_dir=logs_dir,
        port=options.port or engine.port or None,
        keys=tuple(settings.keys.items()),
        history_size=settings.chat.history,
        keeps_conversations=settings.chat.save,
        warn_at_context_share=settings.chat.warn_at_context_share,
        flush_hz=settings.screen.flush_hz,
        strip_hz=settings.screen.strip_hz,
        plain_ribbon=settings.screen.plain_ribbon,
        animations=settings.screen.animations,
        licenses=LicensePolicy(deny=_names(settings.licenses.deny), allow=_names(settings.licenses.allow)),
        quiet_hour=settings.downloads.quiet_hour,
        warmth=WarmthOptions(
            warm_every_s=_seconds(engine.warm_every_min), unload_after_s=_seconds(engine.unload_after_min)
        ),
        memory_limit_percent=engine.memory_limit_percent,
        tariff=Tariff(
            price_per_kwh=settings.energy.price_per_kwh,
            currency=settings.energy.currency,
            cloud_in=settings.energy.cloud_price_in,
            cloud_out=settings.energy.cloud_price_out,
        ),
    )
    return Launch(
        host=host,
        setup=setup,
        options=options,
        overrides=_overrides(options, environment),
        store_path=store_path,
    )


def host_of(launch: Launch, address: str | None, key_name: str | None) -> HostConfig:
    """The server at ``address`` with the key in that variable; no address is our own runtime.  Blocks.

    Raises:
        BadInput: The address, the variable or a setting cannot be used.
        StorageProblem: A folder of the runtime cannot be written.
    """
    if address is not None:
        return _endpoint_host(address, key_name, launch.setup.chat.timeouts.connect_s, os.environ)
    settings = load_settings(launch.setup.settings_path)
    return _managed_host(
        launch.options, settings.engine, launch.setup.data_dir, offline=launch.setup.is_offline
    )


def _endpoint_host(
    address: str, key_name: str | None, connect_s: float, environment: Mapping[str, str]
) -> EndpointConfig:
    key = _key(key_name, environment)
    return EndpointConfig(url=endpoint_address(address), api_key=key, connect_s=connect_s)


def _managed_host(
    options: LaunchOptions, engine: EngineSettings, data_dir: Path, *, offline: bool
) -> ManagedConfig:
    given_cache = options.model_cache_dir or (
        Path(engine.model_cache_dir) if engine.model_cache_dir else None
    )
    home = data_dir / "demo" if options.demo else data_dir
    cache_dir = _absolute(home / "cache" if given_cache is None or options.demo else given_cache)
    runtime_dir, logs_dir = home / "runtime", data_dir / "logs"
    host = ManagedConfig(
        data_dir=str(runtime_dir),
        cache_dir=str(cache_dir),
        logs_dir=str(logs_dir),
        catalog_urls=tuple(_catalog(url) for url in options.catalog_urls),
        catalog_region=options.catalog_region,
        port=options.port or engine.port or 0,
        offline=offline,
    )
    _make_folders(data_dir, logs_dir, runtime_dir, cache_dir)
    return host


def _seconds(minutes: float | None) -> float | None:
    return None if minutes is None else minutes * 60


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _overrides(options: LaunchOptions, environment: Mapping[str, str]) -> dict[str, SettingOverride]:
    """What stands above the file, by setting."""

    def by_option(name: str, value: SettingValue | None) -> SettingOverride:
        return SettingOverride(origin=SettingOrigin.OPTION, detail=name, value=value)

    decided: dict[str, SettingOverride] = {}
    named = environment.get("FOUNDRY_LOCAL_ENDPOINT")
    if named:
        decided["engine.endpoint"] = SettingOverride(
            origin=SettingOrigin.ENVIRONMENT, detail="FOUNDRY_LOCAL_ENDPOINT", value=_without_login(named)
        )
    for key, name, value in (
        ("engine.endpoint", "--endpoint", _without_login(options.endpoint)),
        ("engine.api_key_env", "--api-key-env", options.api_key_env),
        ("engine.model_cache_dir", "--model-cache-dir", options.model_cache_dir),
        ("engine.port", "--port", options.port),
        ("engine.offline", "--offline", options.offline or None),
    ):
        if value is not None:
            decided[key] = by_option(name, str(value) if isinstance(value, Path) else value)
    for phase, seconds in options.timeouts:
        decided[f"timeouts.{phase}"] = by_option("--timeout", seconds)
    if options.demo:
        decided["engine.endpoint"] = by_option("demo", None)
        decided["engine.model_cache_dir"] = by_option("demo", None)
        decided["engine.offline"] = by_option("demo", True)
    return decided


def _without_login(address: str | None) -> str | None:
    """An address fit to be shown; what holds a login is refused before anything is opened."""
    return None if address is None else re.sub(r"//[^/@]*@", "//", address)


def _place(host: HostConfig, *, is_demo: bool) -> str:
    if isinstance(host, EndpointConfig):
        return host.url
    return "demo" if is_demo else "managed runtime"


def default_data_dir(environment: Mapping[str, str] = os.environ) -> Path:
    """``FOUNDRY_TUI_DATA_DIR``, else the platform's user data directory."""
    named = environment.get("FOUNDRY_TUI_DATA_DIR")
    return Path(named) if named else platformdirs.user_data_path("foundry-tui", appauthor=False)


def endpoint_address(text: str) -> str:
    """The base address in ``text``, without ``/v1`` and without a slash at its end."""
    parts = _web_address(text, "endpoint", "http://127.0.0.1:5273/v1")
    if parts.query or parts.fragment:
        # Only what stands before it is echoed: a query is where some servers take their key.
        base = re.split(r"[?#]", text, maxsplit=1)[0]
        raise BadInput(
            f"endpoint {base!r} is followed by a query or fragment",
            remedy="give the base address only, such as http://host:5273/v1",
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').removesuffix('/v1')}".rstrip("/")


def _catalog(text: str) -> str:
    _web_address(text, "catalog URL", "https://host/asset-gallery/v1.0/models")
    return text


def _web_address(text: str, what: str, example: str) -> SplitResult:
    address = text.strip()
    parts: SplitResult | None = None
    is_address = has_login = False
    reason = "no http address"
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and address.isprintable() and parts.port != 0
        is_address = is_address and _HOST.fullmatch(parts.hostname or "") is not None
        has_login = parts.username is not None
    except ValueError as error:
        is_address, reason = False, f"no address: {error}"
    if has_login or (not is_address and "@" in address):
        # Not echoed, nor is the parser's reason, which quotes it: it holds a secret.
        raise BadInput(
            f"the {what} holds a user name or password",
            remedy="give the key by --api-key-env NAME, the name of an environment variable",
        )
    if parts is None or not is_address:
        shown = re.split(r"[?#]", text, maxsplit=1)[0]
        raise BadInput(f"{what} {shown!r} is {reason}", remedy=f"an example: {example}")
    return parts


def _key(name: str | None, environment: Mapping[str, str]) -> str | None:
    if name is None:
        return None
    if _VARIABLE.fullmatch(name) is None:
        # Not echoed: somebody gave the key itself.
        raise BadInput(
            f"--api-key-env wants the name of an environment variable, found text of {len(name)} characters",
            remedy="put the key into a variable and give that variable's name",
        )
    key = environment.get(name)
    if not key:
        raise BadInput(f"the environment variable {name} is not set", remedy=f"set {name} to the key")
    if not key.isascii() or not key.isprintable():
        raise BadInput(f"the key in {name} has characters that cannot be sent", remedy="set it again")
    return key


def _store_path(url: str) -> Path:
    """The file of a URL such as ``sqlite:///runs.db``.

    Raises:
        BadInput: It is no URL of a file, or the file cannot be there.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme.casefold() != "sqlite":  # the rest may hold a password
        raise BadInput(
            f"runs cannot be kept at {clean_line(scheme, 40)}:// yet",
            remedy="that needs its driver and a RunStore of its own; sqlite:///PATH keeps them in a file",
        )
    name = rest[1:]
    if not rest.startswith("/") or not name or name.startswith(":memory:") or "?" in name or "\0" in name:
        raise BadInput(
            "--store takes the URL of a file, sqlite:///PATH",
            remedy="three slashes before a path from here, four before one from the root",
        )
    path = _absolute(Path(name))
    if path.is_dir() or not path.parent.is_dir():
        raise BadInput(
            f"{clean_line(str(path))} can be no file of runs", remedy="name a file in a folder that is there"
        )
    return path


def _absolute(folder: Path) -> Path:
    try:
        return folder.expanduser().absolute()
    except (OSError, RuntimeError) as error:  # a home that is not known, a working directory that is gone
        raise BadInput(f"{folder} is no usable folder: {error}", remedy="name it in full") from error


def _make_folders(*folders: Path) -> None:
    for folder in folders:
        probe = folder / f".writable-{os.getpid()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"foundry-tui")
            probe.unlink()
        except (OSError, ValueError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise StorageProblem(
                f"{folder} cannot be written: {reason}",
                remedy="free some space or its permissions, or name another folder with --data-dir"
                " or --model-cache-dir",
            ) from error
