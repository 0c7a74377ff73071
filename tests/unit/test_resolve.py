"""From options, variables and settings to one launch: who wins, and what is refused."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from foundry_tui.domain.chat import PhaseTimeouts
from foundry_tui.domain.errors import BadInput, StorageProblem
from foundry_tui.engines.hosting.configs import EndpointConfig, ManagedConfig
from foundry_tui.launching import Launch, LaunchOptions, default_data_dir, resolve


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "config"
    folder.mkdir()
    (folder / "settings.toml").write_text("")
    return folder


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def base(config: Path, data_dir: Path) -> LaunchOptions:
    return LaunchOptions(config_dir=config, data_dir=data_dir)


def write_settings(config: Path, text: str) -> None:
    (config / "settings.toml").write_text(text)


def managed(launch: Launch) -> ManagedConfig:
    assert isinstance(launch.host, ManagedConfig)
    return launch.host


def endpoint(launch: Launch) -> EndpointConfig:
    assert isinstance(launch.host, EndpointConfig)
    return launch.host


def with_options(base: LaunchOptions, **options: object) -> LaunchOptions:
    values = {name: getattr(base, name) for name in LaunchOptions.__dataclass_fields__}
    return LaunchOptions(**(values | options))


# Defaults


def test_nothing_said_runs_the_managed_runtime_under_the_data_directory(
    base: LaunchOptions, config: Path, data_dir: Path
) -> None:
    launch = resolve(base, {})

    assert managed(launch) == ManagedConfig(
        data_dir=str(data_dir / "runtime"), cache_dir=str(data_dir / "cache"), logs_dir=str(data_dir / "logs")
    )
    assert launch.setup.where == "managed runtime"
    assert launch.setup.settings_path == config / "settings.toml"
    assert launch.setup.start_with is None
    assert launch.setup.is_offline is False
    assert launch.setup.theme == "foundry-dark"


def test_the_folders_are_made_and_nothing_else(base: LaunchOptions, data_dir: Path) -> None:
    resolve(base, {})

    made = sorted(str(path.relative_to(data_dir)) for path in data_dir.rglob("*"))
    assert made == ["cache", "logs", "runtime"]


def test_an_endpoint_needs_no_runtime_folders(base: LaunchOptions, data_dir: Path) -> None:
    resolve(with_options(base, endpoint="http://h:1"), {})

    assert sorted(path.name for path in data_dir.rglob("*")) == ["logs"]


# Who wins


@pytest.mark.parametrize(
    ("option", "variable", "setting", "url"),
    [
        ("http://option:1", "http://variable:1", "http://setting:1", "http://option:1"),
        (None, "http://variable:1", "http://setting:1", "http://variable:1"),
        (None, "", "http://setting:1", "http://setting:1"),
        (None, None, "http://setting:1", "http://setting:1"),
        ("http://option:1", None, None, "http://option:1"),
    ],
)
def test_the_endpoint_is_the_options_then_the_variables_then_the_settings(
    base: LaunchOptions, config: Path, option: str | None, variable: str | None, setting: str | None, url: str
) -> None:
    if setting is not None:
        write_settings(config, f'[engine]\nendpoint = "{setting}"')
    environment = {} if variable is None else {"FOUNDRY_LOCAL_ENDPOINT": variable}

    launch = resolve(with_options(base, endpoint=option), environment)

    assert endpoint(launch).url == url
    assert launch.setup.where == url


def test_an_empty_variable_is_no_endpoint(base: LaunchOptions) -> None:
    assert isinstance(resolve(base, {"FOUNDRY_LOCAL_ENDPOINT": ""}).host, ManagedConfig)


def test_the_port_is_the_options_then_the_settings_then_a_free_one(base: LaunchOptions, config: Path) -> None:
    assert managed(resolve(base, {})).port == 0
    write_settings(config, "[engine]\nport = 5000")
    assert managed(resolve(base, {})).port == 5000
    assert managed(resolve(with_options(base, port=6000), {})).port == 6000


def test_the_cache_is_the_options_then_the_settings_then_the_data_directorys(
    base: LaunchOptions, config: Path, data_dir: Path, tmp_path: Path
) -> None:
    assert managed(resolve(base, {})).cache_dir == str(data_dir / "cache")
    write_settings(config, f"[engine]\nmodel_cache_dir = '{tmp_path / 'set'}'")
    assert managed(resolve(base, {})).cache_dir == str(tmp_path / "set")
    given = with_options(base, model_cache_dir=tmp_path / "given")
    assert managed(resolve(given, {})).cache_dir == str(tmp_path / "given")


@pytest.mark.parametrize(
    ("option", "setting", "is_offline"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_offline_holds_if_either_says_so(
    base: LaunchOptions, config: Path, option: bool, setting: bool, is_offline: bool
) -> None:
    write_settings(config, f"[engine]\noffline = {str(setting).lower()}")

    launch = resolve(with_options(base, offline=option), {})

    assert launch.setup.is_offline is is_offline
    assert managed(launch).offline is is_offline


def test_each_timeout_is_the_options_then_the_settings_then_the_default(
    base: LaunchOptions, config: Path
) -> None:
    write_settings(config, "[timeouts]\nheaders_s = 2\nbetween_s = 3")
    timeouts = (("between_s", 4.0), ("total_s", 5.0), ("total_s", 6.0))

    launch = resolve(with_options(base, timeouts=timeouts), {})

    assert launch.setup.chat.timeouts == PhaseTimeouts(
        connect_s=5, headers_s=2, first_token_s=300, between_s=4, total_s=6
    )


def test_the_time_to_connect_reaches_the_endpoint(base: LaunchOptions) -> None:
    options = with_options(base, endpoint="http://h:1", timeouts=(("connect_s", 0.5),))

    assert endpoint(resolve(options, {})).connect_s == 0.5


def test_chat_settings_reach_the_chat(base: LaunchOptions, config: Path) -> None:
    write_settings(
        config,
        '[chat]\nsystem_prompt = "Be brief."\ntemperature = 0\nmax_tokens = 9\nseed = 3\n'
        '[screen]\ntheme = "nord"',
    )

    setup = resolve(base, {}).setup

    assert (setup.chat.system_prompt, setup.chat.temperature) == ("Be brief.", 0)
    assert (setup.chat.max_tokens, setup.chat.seed, setup.theme) == (9, 3, "nord")


def test_the_data_directory_is_the_options_then_the_variables_then_the_platforms(
    config: Path, tmp_path: Path
) -> None:
    environment = {"FOUNDRY_TUI_DATA_DIR": str(tmp_path / "variable")}
    given = LaunchOptions(config_dir=config, data_dir=tmp_path / "option")

    assert resolve(given, environment).setup.data_dir == tmp_path / "option"
    assert resolve(LaunchOptions(config_dir=config), environment).setup.data_dir == tmp_path / "variable"
    assert default_data_dir({}).name == "foundry-tui"
    assert default_data_dir({"FOUNDRY_TUI_DATA_DIR": ""}) == default_data_dir({})


def test_a_relative_data_directory_is_told_in_full(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    launch = resolve(LaunchOptions(config_dir=config, data_dir=Path("here")), {})

    assert launch.setup.data_dir == tmp_path / "here"


def test_catalogs_and_their_region_reach_the_runtime(base: LaunchOptions) -> None:
    urls = ("https://a/models?page=1", "http://127.0.0.1:8000/b")

    host = managed(resolve(with_options(base, catalog_urls=urls, catalog_region="eu"), {}))

    assert (host.catalog_urls, host.catalog_region) == (urls, "eu")


# Endpoints


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:5273", "http://127.0.0.1:5273"),
        ("http://127.0.0.1:5273/", "http://127.0.0.1:5273"),
        ("http://127.0.0.1:5273/v1", "http://127.0.0.1:5273"),
        ("http://127.0.0.1:5273/v1/", "http://127.0.0.1:5273"),
        ("https://host.example/api/v1", "https://host.example/api"),
        ("https://host.example/v1/api", "https://host.example/v1/api"),
        ("  http://h \n", "http://h"),
        ("http://[::1]:5273/v1", "http://[::1]:5273"),
        ("http://my_host.local.:1", "http://my_host.local.:1"),
        ("http://büro.example", "http://büro.example"),
        ("http://h/@team/v1", "http://h/@team"),
    ],
)
def test_an_endpoint_is_told_without_version_prefix_and_slash(
    base: LaunchOptions, given: str, url: str
) -> None:
    assert endpoint(resolve(with_options(base, endpoint=given), {})).url == url


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("localhost:5273", "endpoint 'localhost:5273' is no http address"),
        ("ftp://h", "endpoint 'ftp://h' is no http address"),
        ("file:///etc/passwd", "endpoint 'file:///etc/passwd' is no http address"),
        ("http://", "endpoint 'http://' is no http address"),
        ("http:///v1", "endpoint 'http:///v1' is no http address"),
        ("nonsense", "endpoint 'nonsense' is no http address"),
        ("http://h:0", "endpoint 'http://h:0' is no http address"),
        ("http://h:70000", "endpoint 'http://h:70000' is no address: Port out of range 0-65535"),
        (
            "http://h:x",
            "endpoint 'http://h:x' is no address: Port could not be cast to integer value as 'x'",
        ),
        ("http://[::1", "endpoint 'http://[::1' is no address: Invalid IPv6 URL"),
        ("http://a b", "endpoint 'http://a b' is no http address"),
        ("http://a..b", "endpoint 'http://a..b' is no http address"),
        ("http://a\\b", "endpoint 'http://a\\\\b' is no http address"),
        ("http://%41", "endpoint 'http://%41' is no http address"),
        ("http://h/\x1b[2J", "endpoint 'http://h/\\x1b[2J' is no http address"),
        ("http://h/v1?a=b", "endpoint 'http://h/v1' is followed by a query or fragment"),
        ("http://h/v1#a", "endpoint 'http://h/v1' is followed by a query or fragment"),
    ],
)
def test_an_address_that_cannot_be_is_refused(base: LaunchOptions, given: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        resolve(with_options(base, endpoint=given), {})

    assert str(caught.value) == problem
    assert caught.value.remedy is not None
    assert "http://" in caught.value.remedy


@pytest.mark.parametrize(
    "given",
    [
        "http://user:SECRET@h:1/v1",
        "http://SECRET@h",
        "http://:SECRET@h",
        "https://user:SECRET@h:port",
        "http://user:SEC/RET@h",
        "http://user:SECRET@[::1",
        "ftp://user:SECRET@h",
        "user:SECRET@h:5273",
        "http://user:SECRET@",
        "http://h/v1?api-key=SECRET",
        "http://h/v1#SECRET",
        "nonsense?api-key=SECRET",
    ],
)
@pytest.mark.parametrize("source", ["option", "variable", "settings"])
def test_a_secret_in_an_address_is_refused_and_never_repeated(
    base: LaunchOptions, config: Path, given: str, source: str
) -> None:
    environment: Mapping[str, str] = {}
    options = base
    match source:
        case "option":
            options = with_options(base, endpoint=given)
        case "variable":
            environment = {"FOUNDRY_LOCAL_ENDPOINT": given}
        case _:
            write_settings(config, f"[engine]\nendpoint = '{given}'")

    with pytest.raises(BadInput) as caught:
        resolve(options, environment)

    told = f"{caught.value} {caught.value.remedy}"
    assert not any(part in told for part in ("SECRET", "SEC", "RET"))


def test_a_user_name_in_an_address_is_told_where_keys_go(base: LaunchOptions) -> None:
    with pytest.raises(BadInput) as caught:
        resolve(with_options(base, endpoint="http://me:pw@h"), {})

    assert str(caught.value) == "the endpoint holds a user name or password"
    assert caught.value.remedy == "give the key by --api-key-env NAME, the name of an environment variable"


def test_a_catalog_that_is_no_address_is_refused(base: LaunchOptions) -> None:
    with pytest.raises(BadInput) as caught:
        resolve(with_options(base, catalog_urls=("http://ok/x", "catalog")), {})

    assert str(caught.value) == "catalog URL 'catalog' is no http address"


# Keys


def test_the_key_comes_from_the_variable_that_is_named(base: LaunchOptions, config: Path) -> None:
    write_settings(config, '[engine]\napi_key_env = "SET"')
    environment = {"SET": "one", "GIVEN": "two"}
    to_endpoint = with_options(base, endpoint="http://h")

    assert endpoint(resolve(to_endpoint, environment)).api_key == "one"
    assert endpoint(resolve(with_options(to_endpoint, api_key_env="GIVEN"), environment)).api_key == "two"


def test_without_a_name_there_is_no_key_whatever_the_environment_holds(base: LaunchOptions) -> None:
    options = with_options(base, endpoint="http://h")

    assert endpoint(resolve(options, {"OPENAI_API_KEY": "k"})).api_key is None


@pytest.mark.parametrize("environment", [{}, {"MY_KEY": ""}])
def test_a_variable_that_is_not_set_is_named(base: LaunchOptions, environment: Mapping[str, str]) -> None:
    with pytest.raises(BadInput) as caught:
        resolve(with_options(base, endpoint="http://h", api_key_env="MY_KEY"), environment)

    assert str(caught.value) == "the environment variable MY_KEY is not set"
    assert caught.value.remedy == "set MY_KEY to the key"


@pytest.mark.parametrize("key", ["two\nlines", "schlüssel", "\x1b[31m"])
def test_a_key_that_cannot_be_a_header_is_refused_and_not_repeated(base: LaunchOptions, key: str) -> None:
    with pytest.raises(BadInput) as caught:
        resolve(with_options(base, endpoint="http://h", api_key_env="MY_KEY"), {"MY_KEY": key})

    assert str(caught.value) == "the key in MY_KEY has characters that cannot be sent"


def test_a_key_in_place_of_a_variable_is_not_repeated(base: LaunchOptions) -> None:
    with pytest.raises(BadInput) as caught:
        resolve(with_options(base, endpoint="http://h", api_key_env="sk-secret"), {})

    assert str(caught.value) == (
        "--api-key-env wants the name of an environment variable, found text of 9 characters"
    )


def test_a_key_does_not_show_in_the_words_for_a_launch(base: LaunchOptions) -> None:
    launch = resolve(with_options(base, endpoint="http://h", api_key_env="K"), {"K": "sk-secret"})

    assert "sk-secret" not in repr(launch)


# Folders


def test_a_data_directory_that_is_a_file_is_refused_with_its_path_and_a_remedy(
    config: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageProblem) as caught:
        resolve(LaunchOptions(config_dir=config, data_dir=tmp_path / "file"), {})

    assert str(caught.value) == f"{tmp_path / 'file'} cannot be written: File exists"
    assert caught.value.remedy is not None
    assert "--data-dir" in caught.value.remedy


def test_a_data_directory_below_a_file_is_refused(config: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageProblem, match="file/data cannot be written: Not a directory"):
        resolve(LaunchOptions(config_dir=config, data_dir=tmp_path / "file" / "data"), {})


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write to any folder"
)
def test_a_folder_without_the_right_to_write_is_refused(config: Path, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)

    with pytest.raises(StorageProblem, match="cannot be written: Permission denied"):
        resolve(LaunchOptions(config_dir=config, data_dir=tmp_path / "locked"), {})


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that nobody can write to")
@pytest.mark.parametrize("folder", ["/sys/foundry-tui", "/proc/foundry-tui"])
def test_a_file_system_that_cannot_be_written_is_refused(config: Path, folder: str) -> None:
    with pytest.raises(StorageProblem) as caught:
        resolve(LaunchOptions(config_dir=config, data_dir=Path(folder)), {})

    assert str(caught.value).startswith(f"{folder} cannot be written: ")
    assert caught.value.remedy is not None


def test_a_cache_that_is_a_file_is_refused_with_its_path(base: LaunchOptions, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StorageProblem) as caught:
        resolve(with_options(base, model_cache_dir=tmp_path / "file"), {})

    assert str(caught.value) == f"{tmp_path / 'file'} cannot be written: File exists"
    assert caught.value.remedy is not None
    assert "--model-cache-dir" in caught.value.remedy


def test_a_cache_that_no_file_system_can_name_is_refused(base: LaunchOptions, config: Path) -> None:
    write_settings(config, '[engine]\nmodel_cache_dir = "/a\\u0000b"')

    with pytest.raises(StorageProblem, match="cannot be written: "):
        resolve(base, {})


def test_the_home_of_nobody_is_refused(config: Path) -> None:
    with pytest.raises(BadInput, match=r"^~no-such-user-here/data is no usable folder: "):
        resolve(LaunchOptions(config_dir=config, data_dir=Path("~no-such-user-here/data")), {})


def test_bad_settings_stop_before_any_folder_is_made(
    base: LaunchOptions, config: Path, data_dir: Path
) -> None:
    write_settings(config, "[chat]\nseed = ")

    with pytest.raises(BadInput, match=r"settings\.toml: line 2, column 8"):
        resolve(base, {})

    assert not data_dir.exists()


def test_a_bad_endpoint_stops_before_any_folder_is_made(base: LaunchOptions, data_dir: Path) -> None:
    with pytest.raises(BadInput):
        resolve(with_options(base, endpoint="nonsense"), {})

    assert not data_dir.exists()


# Demo


def test_the_demo_ignores_every_endpoint_and_has_a_cache_of_its_own(
    base: LaunchOptions, config: Path, data_dir: Path, tmp_path: Path
) -> None:
    write_settings(
        config, f"[engine]\nendpoint = 'http://setting'\nmodel_cache_dir = '{tmp_path / 'models'}'"
    )

    launch = resolve(with_options(base, demo=True), {"FOUNDRY_LOCAL_ENDPOINT": "http://variable"})

    host = managed(launch)
    assert host.cache_dir == str(data_dir / "demo" / "cache")
    assert host.data_dir == str(data_dir / "demo" / "runtime")
    assert host.offline
    assert launch.setup.where == "demo"
    assert launch.setup.start_with == "tiny-demo-generic-cpu:1"
    assert not (tmp_path / "models").exists()


def test_the_demo_does_not_mind_a_variable_that_is_no_address(base: LaunchOptions) -> None:
    launch = resolve(with_options(base, demo=True), {"FOUNDRY_LOCAL_ENDPOINT": "nonsense"})

    assert isinstance(launch.host, ManagedConfig)


def test_the_demo_ignores_a_cache_that_is_given(base: LaunchOptions, data_dir: Path, tmp_path: Path) -> None:
    launch = resolve(with_options(base, demo=True, model_cache_dir=tmp_path / "given"), {})

    assert managed(launch).cache_dir == str(data_dir / "demo" / "cache")


# Where runs are kept


def test_runs_are_kept_in_the_file_that_a_url_names(base: LaunchOptions, tmp_path: Path) -> None:
    path = tmp_path / "runs of us.db"

    launch = resolve(with_options(base, store=f"sqlite:///{path}"), {})

    assert launch.store_path == path
    assert resolve(base, {}).store_path is None


@pytest.mark.parametrize(
    "url",
    ["runs.db", "sqlite://", "sqlite:///", "sqlite://host/x.db", "sqlite:///:memory:", "sqlite:///x?mode=ro"],
)
def test_what_is_no_url_of_a_file_is_refused(base: LaunchOptions, url: str) -> None:
    with pytest.raises(BadInput, match=r"sqlite:///PATH"):
        resolve(with_options(base, store=url), {})


def test_another_database_is_refused_with_what_it_needs_and_without_its_password(base: LaunchOptions) -> None:
    with pytest.raises(BadInput) as refusal:
        resolve(with_options(base, store="postgresql://me:secret@host/runs"), {})

    words = f"{refusal.value} {refusal.value.remedy}"
    assert "postgresql:// yet" in words
    assert "driver and a RunStore" in words
    assert "secret" not in words


def test_a_folder_that_is_not_there_is_refused_before_anything_is_made(
    base: LaunchOptions, data_dir: Path, tmp_path: Path
) -> None:
    for path in (tmp_path, tmp_path / "none" / "runs.db"):
        with pytest.raises(BadInput, match="can be no file of runs"):
            resolve(with_options(base, store=f"sqlite:///{path}"), {})

    assert not data_dir.exists()
