"""Who visits, and what that person may see."""

from dataclasses import dataclass
from types import MappingProxyType

RANK = MappingProxyType({"viewer": 0, "analyst": 1, "reviewer": 2, "admin": 3})
"""The roles; each may do what those before it may."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who visits: a code and a role."""

    name: str
    role: str

    def may(self, role: str) -> bool:
        """Say whether this person's role is at least another."""
        return RANK[self.role] >= RANK[role]


LOCAL = Person("local", "admin")
"""Whoever sits at this machine, while it has no users and answers nobody else."""
