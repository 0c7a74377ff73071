"""What the command line says, before and after a command's name."""

import pytest

from foundry_tui.cli.main import build_parser
from foundry_tui.cli.options import launch_options
from foundry_tui.launching import LaunchOptions

PLACES = {
    "before": lambda options: [*options, "models", "list"],
    "between": lambda options: ["models", *options, "list"],
    "after": lambda options: ["models", "list", *options],
}


def parsed(*arguments: str) -> LaunchOptions:
    return launch_options(build_parser().parse_args(arguments))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("options", "field", "value"),
    [
        (["--endpoint", "http://h"], "endpoint", "http://h"),
        (["--api-key-env", "KEY"], "api_key_env", "KEY"),
        (["--catalog-region", "eu"], "catalog_region", "eu"),
        (["--port", "5273"], "port", 5273),
        (["--offline"], "offline", True),
        (["--store", "sqlite:///runs.db"], "store", "sqlite:///runs.db"),
        (
            ["--catalog-url", "http://a", "--catalog-url", "http://b"],
            "catalog_urls",
            ("http://a", "http://b"),
        ),
        (["--timeout", "first-token=60"], "timeouts", (("first_token_s", 60.0),)),
    ],
)
def test_a_common_option_is_taken_wherever_it_stands(
    place: str, options: list[str], field: str, value: object
) -> None:
    assert getattr(parsed(*PLACES[place](options)), field) == value


@pytest.mark.parametrize("field", ["data_dir", "config_dir", "model_cache_dir"])
@pytest.mark.parametrize("place", PLACES)
def test_a_common_folder_is_taken_wherever_it_stands(place: str, field: str) -> None:
    name = {"data_dir": "--data-dir", "config_dir": "--config"}.get(field, "--model-cache-dir")

    found = getattr(parsed(*PLACES[place]([name, "some/folder"])), field)

    assert found.as_posix() == "some/folder"


def test_an_option_that_is_not_given_after_the_command_does_not_undo_the_one_before() -> None:
    assert parsed("--offline", "--endpoint", "http://h", "chat", "m") == LaunchOptions(
        offline=True, endpoint="http://h"
    )


def test_of_an_option_given_twice_the_last_wins() -> None:
    assert parsed("--endpoint", "http://a", "models", "list", "--endpoint", "http://b").endpoint == "http://b"


def test_repeatable_options_add_up_over_all_places_in_their_order() -> None:
    options = parsed(
        *("--timeout", "total=1", "--catalog-url", "http://a", "models", "--timeout", "total=2"),
        *("list", "--timeout", "total=3", "--catalog-url", "http://b"),
    )

    assert options.timeouts == (("total_s", 1.0), ("total_s", 2.0), ("total_s", 3.0))
    assert options.catalog_urls == ("http://a", "http://b")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "0"],
        ["--port", "65536"],
        ["--port", "x"],
        ["--timeout", "total"],
        ["--timeout", "total=0"],
        ["--timeout", "total=-1"],
        ["--timeout", "total=nan"],
        ["--timeout", "total=inf"],
        ["--timeout", "never=5"],
        ["--no-such-option"],
        ["no-such-command"],
        ["models"],
        ["models", "info"],
        ["models", "register", "folder"],
        ["models", "list", "--device", "tpu"],
        ["chat"],
        ["chat", "m", "--max-tokens", "0"],
        ["chat", "m", "--max-tokens", "1.5"],
        ["chat", "m", "--temperature", "2.1"],
        ["chat", "m", "--temperature", "nan"],
        ["chat", "m", "--seed", "x"],
        ["schema", "nothing"],
        ["--off"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two_and_says_why_on_stderr(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        build_parser().parse_args(arguments)

    out, err = capsys.readouterr()
    assert caught.value.code == 2
    assert out == ""
    assert "foundry-tui" in err
    assert "error: " in err
