"""Who visits, what that person may see, and that a form was sent by the page that we gave.

Sessions are signed cookies (Starlette's SessionMiddleware, itsdangerous) that hold a name and the
user's epoch: whoever is disabled or gets a new password is out at the next request.
"""

import secrets
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from hmac import compare_digest
from threading import Lock
from time import monotonic

from fastapi import Request
from starlette.exceptions import HTTPException

from models.access_tables import ROLES
from pipelines.accounts import owner_of
from pipelines.store.users import find_user, has_users

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
    """

    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]", "testserver")
    local: bool = True
    secure: bool = False
    secret: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)


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
    elif door.local and not has_users(engine):
        request.state.person = LOCAL
    else:
        raise SignInNeededError


def needs(role: str) -> Callable[[Request], None]:
    """Return a dependency that lets in whoever has a role, after `identify`."""

    def check(request: Request) -> None:
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
    """Refuse what changes something, unless it carries the session's token.

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
    """Counts failed tries to sign in, by name and by address, within a span of time."""

    def __init__(
        self, most: int = 5, seconds: float = 900.0, clock: Callable[[], float] = monotonic
    ) -> None:
        self.most, self.seconds, self._clock = most, seconds, clock
        self._failed: defaultdict[str, deque[float]] = defaultdict(deque)
        self._lock = Lock()

    def wait(self, *keys: str) -> float:
        """Return for how many seconds any of these may not try again; 0 where all may."""
        now = self._clock()
        with self._lock:
            for key in [key for key in keys if key in self._failed]:
                times = self._failed[key]
                while times and now - times[0] >= self.seconds:
                    times.popleft()
                if not times:
                    del self._failed[key]
            full = [
                self._failed[key] for key in keys if len(self._failed.get(key, ())) >= self.most
            ]
            return max((self.seconds - (now - times[-self.most]) for times in full), default=0.0)

    def failed(self, *keys: str) -> None:
        """Note that these have failed once more."""
        with self._lock:
            for key in keys:
                self._failed[key].append(self._clock())
