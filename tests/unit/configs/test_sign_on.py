"""How signing in elsewhere is configured: by the environment, whole or not at all."""

from pathlib import Path

import pytest

from configs.settings import Settings
from configs.sign_on import parse_roles
from models.errors import ConfigError


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("MANIFIESTA_OIDC_ISSUER", "https://idp.example/realms/muni")
    monkeypatch.setenv("MANIFIESTA_OIDC_CLIENT_ID", "manifiesta")
    monkeypatch.setenv("MANIFIESTA_OIDC_ROLES", "gerencia=viewer, cn=datos=analyst")
    return monkeypatch


def test_a_provider_is_read_with_its_secret_from_a_file(
    provider: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("muy secreto\n")
    provider.setenv("MANIFIESTA_OIDC_CLIENT_SECRET_FILE", str(secret))
    found = Settings.load().sign_on()

    assert found is not None
    assert found.discovery == ("https://idp.example/realms/muni/.well-known/openid-configuration")
    assert found.role_of(["otros", "gerencia", "cn=datos"]) == "analyst"
    assert found.role_of(["otros"]) is None
    assert "muy secreto" not in repr(found)


def test_half_a_provider_is_refused(provider: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="OIDC_CLIENT_SECRET"):
        Settings.load().sign_on()
    provider.delenv("MANIFIESTA_OIDC_ISSUER")
    assert Settings.load().sign_on() is None


@pytest.mark.parametrize("text", ["", "gerencia", "gerencia=jefa", "=viewer", "a=viewer,b="])
def test_roles_that_are_none_are_named(text: str) -> None:
    with pytest.raises(ConfigError, match="viewer, analyst, reviewer, admin"):
        parse_roles(text)
