"""Keep for a while what was made with much work, and let one visitor make it for all who wait."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class _Value(Generic[Made]):
    """Something made; since when it is fresh, and in which state that was which it was made of."""

    since: float
    state: object
    made: Made


class Kept(Generic[Made]):
    """The latest values by their keys.

    A value is fresh for some seconds. After that the first who asks makes it again, unless what it
    was made of is still in the same ``state``; whoever asks meanwhile gets the former one, or waits
    where there is none. No key waits for another's.
    """

    def __init__(
        self,
        most: int,
        seconds: float,
        state: Callable[[], object] = object,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._most, self._seconds, self._state, self._clock = most, seconds, state, clock
        self._values: OrderedDict[Hashable, _Value[Made]] = OrderedDict()
        self._turns: dict[Hashable, Lock] = {}
        self._cleared = 0
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return the value of a key, made if need be; what ``make`` raises is kept nowhere."""
        with self._lock:
            found = self._values.get(key)
            if found is not None and self._is_fresh(found):
                self._values.move_to_end(key)
                return found.made
            turn = self._turns.setdefault(key, Lock())
        if found is None:
            turn.acquire()
        elif not turn.acquire(blocking=False):
            return found.made
        try:
            return self._made(key, make)
        finally:
            with self._lock:
                self._turns.pop(key, None)
            turn.release()

    def clear(self) -> None:
        """Forget all, also what is being made just now."""
        with self._lock:
            self._values.clear()
            self._cleared += 1

    def _made(self, key: Hashable, make: Callable[[], Made]) -> Made:
        with self._lock:
            found = self._values.get(key)  # somebody made it while this one waited
            if found is not None and self._is_fresh(found):
                return found.made
            cleared = self._cleared
        state = self._state()
        made = found.made if found is not None and found.state == state else make()
        with self._lock:
            if cleared == self._cleared:
                self._values[key] = _Value(self._clock(), state, made)
                self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return made

    def _is_fresh(self, found: "_Value[Made]") -> bool:
        return self._clock() - found.since < self._seconds
