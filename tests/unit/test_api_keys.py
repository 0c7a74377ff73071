"""Keys live in the system's keyring, each for one address, and are never shown."""

import pytest

from foundry_tui.engines.endpoints.api_keys import origin_of, stored_key, system_keyring

URL = "https://gpu.example:8443/llm"


class Ring:
    """A keyring in memory, locked if told so."""

    def __init__(self, key: str = "sesame", *, is_locked: bool = False) -> None:
        self._secrets = {("foundry-tui", "https://gpu.example:8443"): key}
        self._is_locked = is_locked

    def get_password(self, service: str, username: str) -> str | None:
        if self._is_locked:
            raise RuntimeError("locked")
        return self._secrets.get((service, username))


def test_a_key_is_found_under_its_address_whatever_the_path() -> None:
    ring = Ring()

    assert stored_key(URL, lambda: ring) == "sesame"
    assert stored_key("https://GPU.example:8443/v1", lambda: ring) == "sesame"


@pytest.mark.parametrize(
    "other", ["http://gpu.example:8443", "https://gpu.example", "https://gpu.example.evil.example:8443"]
)
def test_a_key_is_not_given_to_another_address(other: str) -> None:
    ring = Ring()

    assert stored_key(other, lambda: ring) is None


def test_a_locked_keyring_has_no_key() -> None:
    ring = Ring(is_locked=True)

    assert stored_key(URL, lambda: ring) is None


@pytest.mark.parametrize("key", ["", "two\nlines", "caf\xe9", "\x00"])
def test_what_cannot_be_sent_is_not_used(key: str) -> None:
    ring = Ring(key)

    assert stored_key(URL, lambda: ring) is None


def test_without_a_keyring_there_is_no_key() -> None:
    assert stored_key(URL, lambda: None) is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://Host", "http://host:80"),
        ("https://host./v1", "https://host:443"),
        ("http://[::1]:5273/v1", "http://[::1]:5273"),
    ],
)
def test_an_origin_always_has_its_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin


@pytest.mark.parametrize("backend", ["null", "fail"])
def test_a_backend_that_keeps_nothing_secret_is_not_used(backend: str) -> None:
    keyring = pytest.importorskip("keyring", reason="the extra foundry-tui[keyring] is not installed")
    before = keyring.get_keyring()
    module = pytest.importorskip(f"keyring.backends.{backend}")
    keyring.set_keyring(module.Keyring())
    try:
        assert system_keyring() is None
    finally:
        keyring.set_keyring(before)


def test_of_a_chain_only_the_first_backend_is_taken() -> None:
    keyring = pytest.importorskip("keyring", reason="the extra foundry-tui[keyring] is not installed")
    backend = pytest.importorskip("keyring.backend")
    before = keyring.get_keyring()

    class Safe(backend.KeyringBackend):  # type: ignore[name-defined,misc]  # the library may be absent
        priority = 5

        get_password = set_password = delete_password = None

    class Chain(Safe):
        priority = 10
        backends = (Safe(),)

    keyring.set_keyring(Chain())
    try:
        assert type(system_keyring()) is Safe
    finally:
        keyring.set_keyring(before)
