"""Who may open the dashboard, as typed; and that it opens to nobody else beyond this machine."""

import json
import sys
from collections.abc import Callable
from io import StringIO

import pytest

from tests.flows.conftest import Said

Manifiesta = Callable[..., Said]
PASSWORD = "una clave que nadie adivina"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a line on standard input."""

    def line(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", StringIO(f"{text}\n"))

    return line


def test_users_are_added_listed_shut_out_and_let_in_again(
    manifiesta: Manifiesta, typed: Callable[[str], None]
) -> None:
    assert "No users yet" in manifiesta("users", "list").out
    typed(PASSWORD)
    added = manifiesta("users", "add", "rosa", "--role", "analyst", "--password-stdin")
    assert (added.code, added.out) == (0, "User rosa added as analyst.\n")
    key = manifiesta("users", "key", "rosa").out.strip()
    assert key.startswith("mf_")
    assert manifiesta("users", "revoke", key).code == 0
    assert manifiesta("users", "revoke", key).code == 2
    assert manifiesta("users", "disable", "rosa").code == 0
    listed = json.loads(manifiesta("users", "list", "--json").out)
    assert [(one["name"], one["role"], one["disabled"]) for one in listed] == [
        ("rosa", "analyst", True)
    ]
    assert PASSWORD not in manifiesta("users", "list", "--json").out
    typed(PASSWORD + "!")
    assert manifiesta("users", "password", "rosa", "--password-stdin").code == 0
    assert "(disabled)" not in manifiesta("users", "list").out


@pytest.mark.parametrize(
    ("words", "line", "why"),
    [
        (("add", "rosa", "--password-stdin"), "corta", "12 to 200 characters"),
        (("add", "rosa quispe", "--password-stdin"), PASSWORD, "no spaces"),
        (("password", "nadie", "--password-stdin"), PASSWORD, "no user nadie"),
        (("disable", "nadie"), "", "no user nadie"),
        (("key", "nadie"), "", "no active user nadie"),
    ],
)
def test_what_will_not_do_is_told(
    manifiesta: Manifiesta,
    typed: Callable[[str], None],
    words: tuple[str, ...],
    line: str,
    why: str,
) -> None:
    typed(line)
    said = manifiesta("users", *words)
    assert said.code == 2
    assert why in said.err
    assert "No users yet" in manifiesta("users", "list").out


def test_it_opens_beyond_this_machine_only_with_users_https_and_a_name(
    manifiesta: Manifiesta, typed: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*words: str) -> str:
        said = manifiesta("serve", "--port", "0", *words)
        assert said.code == 2
        return said.err

    assert "there are no users" in refused("--host", "0.0.0.0")
    assert "there are no users" in refused("--behind-proxy")
    typed(PASSWORD)
    manifiesta("users", "add", "rosa", "--password-stdin")
    assert "passwords need HTTPS" in refused("--host", "0.0.0.0")
    assert "--name" in refused("--host", "0.0.0.0", "--behind-proxy")
    monkeypatch.setenv("MANIFIESTA_OIDC_ISSUER", "https://idp.example")
    assert "MANIFIESTA_OIDC_CLIENT_ID" in refused()
