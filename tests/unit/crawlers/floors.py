"""The floors of the extraction gate: what it once got right, it gets right from then on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

PINNED = Path(__file__).parent / "extraction_floors.json"


@dataclass(frozen=True)
class Floors:
    """The least that must be right, per field, on the pages with one checksum."""

    corpus: str
    floors: Mapping[str, int]

    @classmethod
    def read(cls, path: Path = PINNED) -> "Floors":
        """Read the floors that are pinned."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path = PINNED) -> None:
        """Pin these floors."""
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def raised(self, corpus: str, right: Mapping[str, int], *, may_lower: bool) -> "Floors":
        """Return the floors after a run.

        Raises:
            ValueError: one of them would be lower, or the pages are others, and neither may be.
        """
        if not may_lower:
            if corpus != self.corpus:
                raise ValueError("the pages are not those of the floors; add --lower-floors")
            if lost := self.missed(right):
                raise ValueError(f"{lost}; add --lower-floors if it has to be")
        return Floors(corpus, dict(right))

    def missed(self, right: Mapping[str, int]) -> str:
        """Say which fields are below their floor."""
        low = [name for name, floor in self.floors.items() if right.get(name, 0) < floor]
        return ", ".join(f"{name}: {right.get(name, 0)} of {self.floors[name]}" for name in low)


def checksum(folder: Path) -> str:
    """Return the SHA-256 of the pages and of what is expected of them, by name and content."""
    digest = sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in {".html", ".json", ".info"}:
            digest.update(f"{path.name}\0{sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
