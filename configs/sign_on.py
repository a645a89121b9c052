"""How people sign in at their organisation's own provider: OpenID Connect."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

from models.errors import ConfigError
from models.records import Role

_ROLES = tuple(role.value for role in Role)


@dataclass(frozen=True)
class SignOn:
    """A provider, this installation as its client, and which of its groups have which role."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    roles: Mapping[str, str]
    roles_claim: str = "groups"
    name_claim: str = "preferred_username"
    scope: str = "openid profile email"

    def __post_init__(self) -> None:
        """Refuse an issuer whose answers anybody on the way could write."""
        address = urlsplit(self.issuer)
        if address.scheme != "https" and not (
            address.scheme == "http" and _is_here(address.hostname or "")
        ):
            raise ConfigError(
                "MANIFIESTA_OIDC_ISSUER: write the provider's whole address, https://…"
            )

    @property
    def discovery(self) -> str:
        """Where the provider tells its addresses and keys (OpenID Connect Discovery 1.0, 4)."""
        return f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"

    def role_of(self, groups: Iterable[str]) -> str | None:
        """Return the highest role that one of these groups has; None where none has any."""
        found = {self.roles[group] for group in groups if group in self.roles}
        return max(found, key=_ROLES.index, default=None)


def parse_roles(text: str) -> dict[str, str]:
    """Read ``group=role, group=role``.

    Raises:
        ConfigError: it is empty, or names no role.

    Examples:
        >>> parse_roles("gerencia=viewer, datos=analyst")
        {'gerencia': 'viewer', 'datos': 'analyst'}
    """
    pairs = [part.rpartition("=") for part in text.split(",") if part.strip()]
    found = {group.strip(): role.strip() for group, _, role in pairs}
    if not found or "" in found or not set(found.values()) <= set(_ROLES):
        raise ConfigError(
            "MANIFIESTA_OIDC_ROLES says which of the provider's groups has which role, such as "
            f"gerencia=viewer,datos=analyst. Roles are {', '.join(_ROLES)}."
        )
    return found


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
