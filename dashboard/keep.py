"""Keep for a while what was made with much work, and let one visitor make it for all who wait."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Kept(Generic[Made]):
    """The latest values by their keys.

    A value is fresh for some seconds. After that the first who asks makes it again; whoever asks
    meanwhile gets the former one, or waits where there is none. No key waits for another's.
    """

    def __init__(self, most: int, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._most, self._seconds, self._clock = most, seconds, clock
        self._values: OrderedDict[Hashable, tuple[float, Made]] = OrderedDict()
        self._turns: dict[Hashable, Lock] = {}
        self._cleared = 0
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return the value of a key, made if need be; what ``make`` raises is kept nowhere."""
        with self._lock:
            found = self._values.get(key)
            if found is not None and self._is_fresh(found):
                self._values.move_to_end(key)
                return found[1]
            turn = self._turns.setdefault(key, Lock())
        if found is None:
            turn.acquire()
        elif not turn.acquire(blocking=False):
            return found[1]
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
                return found[1]
            cleared = self._cleared
        made = make()
        with self._lock:
            if cleared == self._cleared:
                self._values[key] = self._clock(), made
                self._values.move_to_end(key)
            while len(self._values) > self._most:
                self._values.popitem(last=False)
        return made

    def _is_fresh(self, found: tuple[float, Made]) -> bool:
        return self._clock() - found[0] < self._seconds
