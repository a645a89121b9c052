"""Are the texts of a proposed demand about one thing, and are its category and zone the true ones?

``manifiesta sandbox run``, then ``python benchmarks/demands.py HOME [--vectors]``

Proposes the demands of a finished town run anew, on a copy of its database, and holds them against
the town's truth. *Together*: B-cubed precision and recall (Bagga, A. and Baldwin, B., 1998,
«Algorithms for scoring coreference chains») against the base text that each text repeats: of the
texts with which a text shares a demand, how many repeat the same base text, and of those that do,
how many share its demand. *Topic and place*: how many texts, and how many demands by most of their
texts, are in a demand of the category, and of the zone, that the town gave them.

``--vectors`` asks what tells neighbours in topic: of the pairs of distinct base texts in demands
of one category and zone, those are of one matter that the town put into one conversation; of each
likeness it prints the area under the ROC curve. *Words* is the likeness that groups, *vectors* the
cosine of the encoder's, *spread* the same with their mean and first component taken out.
"""

import argparse
import re
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score
from sqlalchemy import Engine, delete, select

from configs.load import load_municipality
from crawlers.sandbox.truth import TruthRow, truth
from models.demand_tables import DemandEventRow, DemandManifestationRow, DemandRow
from models.records import Window
from models.tables import ManifestationRow, RunRow
from nlp.classifier import Classifier
from nlp.likeness import word_vectors
from pipelines.demands.propose import propose
from pipelines.store.engine import open_engine, writing
from pipelines.store.migrate import migrate
from pipelines.store.write import Store

TOWN = "sandbox"


@dataclass(frozen=True, slots=True)
class Placed:
    """A text in its demand: what the town says of it, and what the demand says."""

    demand: str
    category: str
    zone: str | None
    text: str
    true: TruthRow

    @property
    def base(self) -> str:
        """The text that it repeats."""
        return self.true.copy_of or self.true.text_id

    @property
    def matter(self) -> str:
        """The conversation that its base text belongs to in the town, or the base text alone."""
        thread = re.match(r"[a-z]-t\d+", self.base)
        return thread[0] if thread else self.base


def proposed(engine: Engine) -> list[Placed]:
    """Propose the demands of the town's run anew, and return every text with what is true of it."""
    with writing(engine) as connection:
        for table in (DemandEventRow, DemandManifestationRow, DemandRow):
            connection.execute(delete(table))
        run = connection.execute(
            select(
                RunRow.window_from, RunRow.window_to, RunRow.model_version, RunRow.taxonomy_version
            )
            .where(RunRow.municipality == TOWN)
            .order_by(RunRow.started_at)
        ).first()
    if run is None:
        raise SystemExit("the home has no run of the town: `manifiesta sandbox run` makes one")
    town = load_municipality(TOWN)
    window = Window(run.window_from, run.window_to, town.zone)
    propose(Store(engine), town, window, (str(run.model_version), run.taxonomy_version))
    said, part, demand = ManifestationRow, DemandManifestationRow, DemandRow
    query = (
        select(said.source, said.external_id, said.text, demand.id, demand.category, demand.zone)
        .join(part, part.manifestation_id == said.id)
        .join(demand, demand.id == part.demand_id)
    )
    true = {(row.source, row.external_id): row for row in truth()}
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return [
        Placed(id_, category, zone, text, true[source, external])
        for source, external, text, id_, category, zone in rows
        if (source, external) in true
    ]


def b_cubed(placed: Sequence[Placed]) -> tuple[float, float]:
    """Return precision and recall of the demands against the base texts."""
    demands = Counter(one.demand for one in placed)
    bases = Counter(one.base for one in placed)
    both = Counter((one.demand, one.base) for one in placed)
    shared = [both[one.demand, one.base] for one in placed]
    n = len(placed)
    return (
        sum(s / demands[one.demand] for s, one in zip(shared, placed, strict=True)) / n,
        sum(s / bases[one.base] for s, one in zip(shared, placed, strict=True)) / n,
    )


def right(placed: Sequence[Placed], what: str) -> tuple[float, float]:
    """Return the shares of texts, and of demands, whose category or zone is the true one."""
    true: dict[str, list[bool]] = defaultdict(list)
    for one in placed:
        true[one.demand].append(getattr(one, what) == getattr(one.true, what))
    texts = [hit for hits in true.values() for hit in hits]
    return _mean(texts), _mean(2 * sum(hits) >= len(hits) for hits in true.values())


def likenesses(placed: Sequence[Placed]) -> dict[str, float]:
    """Return the area under the ROC curve of each likeness, for telling texts of one matter."""
    distinct = list({one.base: one for one in placed}.values())
    pairs = [
        (a, b)
        for a, b in combinations(range(len(distinct)), 2)
        if (distinct[a].category, distinct[a].zone) == (distinct[b].category, distinct[b].zone)
    ]
    same = [distinct[a].matter == distinct[b].matter for a, b in pairs]
    texts = [one.text for one in distinct]
    vectors = Classifier.load().embed(texts)
    centred = vectors - vectors.mean(axis=0)
    first = np.linalg.svd(centred, full_matrices=False)[2][:1]
    spread = centred - centred @ first.T @ first
    spread /= np.linalg.norm(spread, axis=1, keepdims=True)
    words = word_vectors(texts, texts).toarray()
    print(
        f"{len(pairs)} pairs of distinct texts in one category and zone, {sum(same)} of one matter"
    )
    return {
        name: float(roc_auc_score(same, [rows[a] @ rows[b] for a, b in pairs]))
        for name, rows in (("words", words), ("vectors", vectors), ("spread", spread))
    }


def _mean(values: Iterable[bool]) -> float:
    found = list(values)
    return sum(found) / len(found)


def main() -> None:
    """Propose, hold against the truth and print."""
    parser = argparse.ArgumentParser(description="The demands of a town run against its truth.")
    parser.add_argument("home", type=Path, help="MANIFIESTA_HOME of a `manifiesta sandbox run`")
    parser.add_argument("--vectors", action="store_true", help="what tells neighbours in topic")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "manifiesta.db"
        shutil.copy(asked.home / "manifiesta.db", copy)
        engine = open_engine(f"sqlite:///{copy}")
        migrate(engine)
        placed = proposed(engine)
        engine.dispose()
    precision, recall = b_cubed(placed)
    print(f"{len({one.demand for one in placed})} demands of {len(placed)} texts, which repeat")
    print(f"{len({one.base for one in placed})} base texts")
    print(f"together: precision {precision:.3f}, recall {recall:.3f} (B-cubed)")
    for what in ("category", "zone"):
        texts, demands = right(placed, what)
        print(f"{what} right: {texts:.1%} of the texts, {demands:.1%} of the demands")
    if asked.vectors:
        for name, area in likenesses(placed).items():
            print(f"{name}: area under the ROC curve {area:.2f}")


if __name__ == "__main__":
    main()
