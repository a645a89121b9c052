"""Where this installation keeps its things, taken from the environment.

Nothing is created on import; `Settings.pseudonym_secret` writes the key file on first use.
"""

import os
import secrets
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from configs.sign_on import SignOn, parse_roles
from models.errors import ConfigError

_SECRETS = (
    "database_url",
    "database_password",
    "pseudonym_key",
    "open311_key",
    "oidc_client_secret",
)


class Settings(BaseSettings):
    """Environment variables: ``MANIFIESTA_HOME``, ``MANIFIESTA_DATABASE_URL`` and so on."""

    model_config = SettingsConfigDict(env_prefix="MANIFIESTA_", frozen=True, extra="ignore")

    home: Path = Path("manifiesta-data")
    database_url: SecretStr | None = None
    database_password: SecretStr | None = None
    pseudonym_key: SecretStr | None = Field(default=None, min_length=16)
    open311_key: SecretStr | None = Field(default=None, min_length=16)
    cluster: str | None = Field(default=None, pattern=r"^(tcp|tls|ws|wss)://[^\s/]+")
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_roles: str = ""
    oidc_roles_claim: str = "groups"
    oidc_name_claim: str = "preferred_username"
    oidc_scope: str = "openid profile email"

    @classmethod
    def load(cls) -> Self:
        """Read the environment; ``MANIFIESTA_X_FILE`` names the file of a secret X.

        Raises:
            ConfigError: a variable does not hold what it should, or a file cannot be read.
        """
        try:
            return cls(**_from_files())
        except ValidationError as error:
            first = error.errors()[0]
            name = f"MANIFIESTA_{'_'.join(str(part) for part in first['loc']).upper()}"
            raise ConfigError(f"{name}: {first['msg']}. Set it again, or unset it.") from None

    @property
    def database(self) -> str:
        """The database's address: the one in the environment, or SQLite in the home folder.

        Its password may come apart from it.
        """
        if self.database_url is not None and self.database_password is not None:
            scheme, mark, rest = self.database_url.get_secret_value().partition("://")
            user, at, place = rest.rpartition("@")
            password = quote(self.database_password.get_secret_value(), safe="")
            return f"{scheme}{mark}{user}:{password}{at}{place}"
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'manifiesta.db'}"

    @property
    def archive(self) -> Path:
        """The folder of raw responses. It holds personal data: mode 0700."""
        return self.home / "archive"

    @property
    def reports(self) -> Path:
        """The folder of reports."""
        return self.home / "reports"

    @property
    def municipalities(self) -> Path:
        """The folder of this installation's own municipality files."""
        return self.home / "municipalities"

    def pseudonym_secret(self) -> bytes:
        """Return the key of author pseudonyms: from the environment, else from a private file.

        The file is made with mode 0600 the first time. Whoever loses it can no longer tell that
        two runs saw the same author.
        """
        if self.pseudonym_key is not None:
            return self.pseudonym_key.get_secret_value().encode()
        return self._private("pseudonym.key")

    def session_secret(self) -> str:
        """Return the key that the dashboard's sessions are signed with; a new one ends them."""
        return self._private("session.key").decode()

    def sign_on(self) -> SignOn | None:
        """Return how people sign in at the organisation's own provider; None where they don't.

        Raises:
            ConfigError: some of it is missing or will not do.
        """
        if self.oidc_issuer is None:
            return None
        if not self.oidc_client_id or self.oidc_client_secret is None:
            raise ConfigError(
                "MANIFIESTA_OIDC_ISSUER is set: give MANIFIESTA_OIDC_CLIENT_ID and "
                "MANIFIESTA_OIDC_CLIENT_SECRET (or …_SECRET_FILE) as well."
            )
        return SignOn(
            issuer=self.oidc_issuer,
            client_id=self.oidc_client_id,
            client_secret=self.oidc_client_secret.get_secret_value(),
            roles=parse_roles(self.oidc_roles),
            roles_claim=self.oidc_roles_claim,
            name_claim=self.oidc_name_claim,
            scope=self.oidc_scope,
        )

    def _private(self, name: str) -> bytes:
        path = self.home / name
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
        return path.read_bytes().strip()


def _from_files() -> dict[str, Any]:
    """Return the secrets that files hold, as `docker` and `systemd` hand them over."""
    found: dict[str, Any] = {}
    for name in _SECRETS:
        variable = f"MANIFIESTA_{name.upper()}_FILE"
        if path := os.environ.get(variable):
            try:
                found[name] = SecretStr(Path(path).read_text(encoding="utf-8").strip())
            except (OSError, UnicodeDecodeError) as error:
                why = error.strerror if isinstance(error, OSError) else "it is no text"
                raise ConfigError(f"{variable}: the file cannot be read: {why}") from None
    return found
