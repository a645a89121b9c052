"""Who visits, what that person may see, and that a form was sent by the page that we gave.

Sessions are signed cookies (Starlette's SessionMiddleware, itsdangerous) that hold a name and the
user's epoch: whoever is disabled or gets a new password is out at the next request.
"""

import secrets
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hmac import compare_digest
from ipaddress import ip_address, ip_network
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from fastapi import Request
from starlette.exceptions import HTTPException

from models.access_tables import ROLES
from pipelines.accounts import owner_of
from pipelines.store.users import find_user, has_users

if TYPE_CHECKING:
    from dashboard.sign_on import Provider

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN = "token"  # noqa: S105 - the name of a field
"""The field of every form, and its key in the session."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who visits: a name and a role; by a key, it is a program."""

    name: str
    role: str
    by_key: bool = False

    def may(self, role: str) -> bool:
        """Say whether this person's role is at least another."""
        return self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role)


LOCAL = Person("local", "admin")
"""Whoever sits at this machine, while it has no users and answers nobody else."""

STRANGER = Person("", "")
"""Somebody who has not signed in, and may see nothing."""


class SignInNeededError(Exception):
    """Somebody who has not signed in asks for what only users may see."""


@dataclass(frozen=True)
class Door:
    """How the house is entered.

    ``local``: it answers this machine alone, so that without users nobody need sign in.
    ``secure``: browsers send the cookie over HTTPS alone. ``hosts``: names that it answers to.
    ``provider``: where else one may sign in; then everybody signs in.
    """

    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]", "testserver")
    local: bool = True
    secure: bool = False
    secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)
    provider: "Provider | None" = None


def identify(request: Request) -> None:
    """Find out who visits, and note it in the request.

    Raises:
        SignInNeededError: nobody has signed in, and there are users.
        HTTPException: a key opens nothing (401).
    """
    engine, door = request.app.state.house.engine, request.app.state.door
    header = request.headers.get("authorization", "")
    if header:
        scheme, _, key = header.partition(" ")
        owner = owner_of(engine, key.strip()) if scheme.lower() == "bearer" else None
        if owner is None:
            raise HTTPException(401, headers={"www-authenticate": "Bearer"})
        request.state.person = Person(owner.name, owner.role, by_key=True)
        return
    name, epoch = request.session.get("name"), request.session.get("epoch")
    user = find_user(engine, name) if name else None
    if user is not None and not user.disabled and user.epoch == epoch:
        request.state.person = Person(user.name, user.role)
    elif door.local and door.provider is None and not has_users(engine):
        request.state.person = LOCAL
    else:
        raise SignInNeededError


def needs(role: str) -> Callable[[Request], Awaitable[None]]:
    """Return a dependency that lets in whoever has a role, after `identify`."""

    async def check(request: Request) -> None:  # what waits for nothing needs no thread
        if not request.state.person.may(role):
            raise HTTPException(403)

    return check


def token_of(request: Request) -> str:
    """Return the session's token, which every form carries."""
    found = request.session.get(TOKEN)
    if not found:
        found = request.session[TOKEN] = secrets.token_urlsafe(32)
    return str(found)


async def sent_by_our_page(request: Request) -> None:
    """Refuse what changes something, unless it carries the session's token; else forget old pages.

    Raises:
        HTTPException: the token is missing or another's (403).
    """
    if request.method in SAFE or request.headers.get("authorization"):
        return
    given = (await request.form()).get(TOKEN)
    known = request.session.get(TOKEN)
    if (
        not known
        or not isinstance(given, str)
        or not compare_digest(given.encode(), known.encode())
    ):
        raise HTTPException(403)


class Attempts:
    """Counts failed tries by a key, within a span of time; it lets the oldest of many keys go."""

    def __init__(
        self,
        most: int = 5,
        seconds: float = 900.0,
        clock: Callable[[], float] = monotonic,
        keys: int = 10_000,
    ) -> None:
        self.most, self.seconds, self._clock, self._keys = most, seconds, clock, keys
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, key: str) -> float:
        """Return for how many seconds a key may not try again; 0 where it may."""
        now = self._clock()
        with self._lock:
            times = self._failed.get(key, deque())
            while times and now - times[0] >= self.seconds:
                times.popleft()
            if len(times) < self.most:
                return 0.0
            return self.seconds - (now - times[-self.most])

    def failed(self, key: str) -> None:
        """Note that a key has failed once more."""
        with self._lock:
            times = self._failed.setdefault(key, deque(maxlen=self.most))
            times.append(self._clock())
            self._failed.move_to_end(key)
            while len(self._failed) > self._keys:
                self._failed.popitem(last=False)


@dataclass(frozen=True)
class Gate:
    """How often one may fail to sign in: few times as one name from one address, more from one.

    So a stranger's tries shut nobody else out. An address is that of a network, where it is IPv6:
    whoever has one has a whole /64 of them.
    """

    as_one: Attempts = field(default_factory=Attempts)
    from_one: Attempts = field(default_factory=lambda: Attempts(most=30))

    def wait(self, name: str, address: str) -> float:
        """Return for how many seconds this name may not be tried from this address."""
        network = _network(address)
        return max(self.as_one.wait(_pair(name, network)), self.from_one.wait(network))

    def failed(self, name: str, address: str) -> None:
        """Note a failed try."""
        network = _network(address)
        self.as_one.failed(_pair(name, network))
        self.from_one.failed(network)


def _pair(name: str, network: str) -> str:
    return f"{name[:60].lower()} {network}"


def _network(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return address[:60]
    return str(ip_network((int(found) >> 64 << 64, 64))) if found.version == 6 else str(found)
