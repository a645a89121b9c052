"""Pages of the dashboard over a million manifestations, read by twenty people at once.

``python benchmarks/dashboard.py [--rows 1000000] [--users 20] [--rounds 15] [--folder DIR]``

Writes manifestations, demands and readings straight into the tables, counts them as a run does,
and starts `manifiesta serve`. Then, for every page: the first answer of a server just started; the
95th percentile of the times from request to last byte while the readers, each in a thread, all ask
for it without a pause; and the processor's time of the server for each of those answers. Then the
readers go from page to page by chance and read each for a while, as people do. At last they ask for
200 addresses that nobody has asked for before, as analysts do, so that nothing is kept: one after
another, which tells the processor's time of each, then all readers with such pauses, then without;
once the server has opened its pages ahead, or with ``--started`` while it does.
"""

import argparse
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

import httpx
import numpy as np
import yaml
from rows import FIRST, LIMA, MODEL, TAXONOMY, fill, town

from configs.load import load_taxonomy
from models.labels import CATEGORIES, INTENTS, SENTIMENTS
from models.records import Stage, State, Window
from nlp.stems import stems_of
from pipelines.aggregate import aggregate
from pipelines.counted import Counted
from pipelines.discover import discover
from pipelines.searching import index_labels
from pipelines.store.engine import open_engine
from pipelines.store.migrate import migrate
from pipelines.store.write import Partition, RunStart, Store

DAYS = 120
DEMANDS, READINGS = 20_000, 2_000
OPENED_FIRST = ("/", "/categorias", "/manifestaciones", "/demandas", "/revision")
READS_FOR = 5.0  # seconds that a reader stays on a page, on average
TOPICS = 40
ADDRESSES = 200

WORDS = (  # noqa: SIM905 - shorter so
    "agua alcalde ambulancia árbol asfalto avenida barrio basura bache botadero bus calle caño "
    "cola colegio combi comisaría corte denuncia desagüe desmonte emergencia escalera esquina "
    "fumigación gracias hospital humo iluminación inseguridad jardín junta limpieza losa luz "
    "mercado motos municipio muro noche obra olor parada paradero parque perros pista polvo "
    "posta postes pozo quejas ratas reja robo ruido sardinel semáforo serenazgo tachos techo "
    "temblor tránsito trocha vereda vecinos vigilancia zanja"
).split()

PAGES = {
    "resumen": "/",
    "resumen, en": "/?lang=en",
    "categorias": "/categorias",
    "una categoria": "/categorias?category=transport",
    "hallazgos": "/hallazgos",
    "temas": "/temas",
    "lugares": "/lugares",
    "una zona": "/lugares?zone=zona-3",
    "manifestaciones": "/manifestaciones",
    "sin certeza": "/manifestaciones?certainty=unsure",
    "buscar una palabra": "/manifestaciones?q=semáforo",
    "buscar una frase": "/manifestaciones?q=%22corte+de+agua%22",
    "todos los filtros": "/manifestaciones?q=bache&category=transport&sentiment=negative"
    "&intent=complaint&source=fuente-1&zone=zona-3",
    "pagina 200": "/manifestaciones?category=transport&page=200",
    "una conversacion": "/manifestaciones/{said}",
    "fuentes": "/fuentes",
    "demandas": "/demandas",
    "demandas vencidas": "/demandas?status=overdue&category=transport",
    "una demanda": "/demandas/{demand}",
    "emparejamiento": "/emparejamiento",
    "revision": "/revision",
    "revision, sin certeza": "/revision?status=unsure",
    "ejecuciones": "/ejecuciones",
    "una ejecucion": "/ejecuciones/{run}",
    "metodologia": "/metodologia",
    "tabla insight_category, JSON": "/api/v1/tables/insight_category?m=bench",
    "tabla insight_category, CSV": "/tablas/insight_category.csv",
}


LABELS = {
    "category": CATEGORIES,
    "sentiment": SENTIMENTS,
    "intent": INTENTS,
    "source": [f"fuente-{number}" for number in range(25)],
    "zone": [f"zona-{number}" for number in range(20)],
}


def addresses(seed: int, count: int) -> dict[str, str]:
    """Return different addresses with filters by chance, each under a name that begins alike.

    Of ten, seven are searches: by one to four labels, some of them by a word or for some of the
    days, some of them further down the list. The rest are one category, one zone, and demands.
    """
    chance, found = random.Random(seed), dict[str, str]()
    while len(found) < count:
        asked = {
            name: chance.choice(LABELS[name])
            for name in chance.sample(sorted(LABELS), 1 + chance.getrandbits(2))
        }
        start = FIRST + timedelta(days=chance.randrange(DAYS - 14))
        days = {"from": str(start), "to": str(start + timedelta(days=chance.randrange(1, 14)))}
        page = chance.choice(("manifestaciones",) * 7 + ("categorias", "lugares", "demandas"))
        if page == "categorias":
            asked = {"category": chance.choice(CATEGORIES)} | days
        elif page == "lugares":
            asked = {"zone": chance.choice(LABELS["zone"])} | days
        elif page == "demandas":
            asked = {name: asked[name] for name in asked if name in ("category", "zone")}
            asked["page"] = str(chance.randrange(2, 40))
        else:
            asked |= {"q": chance.choice(WORDS)} if chance.random() < 0.3 else {}
            asked |= days if chance.random() < 0.5 else {}
            asked |= {"page": str(chance.randrange(2, 20))} if chance.random() < 0.2 else {}
        found[f"/{page}?{urlencode(asked)}"] = page
    return {f"{page} {path}": path for path, page in found.items()}


def hashed(number: int) -> str:
    """Return the id of the manifestation of a number: spread evenly, as real ones are."""
    return blake2b(str(number).encode(), digest_size=16).hexdigest()


def said(number: int) -> str:
    """Return a text of 6 to 40 words, some of which are rare."""
    chance = random.Random(number)
    return " ".join(WORDS[int(len(WORDS) * chance.random() ** 2)] for _ in range(6 + number % 35))


def prepare(folder: Path, rows: int) -> str:
    """Write and count what the pages show; return the run."""
    place, file = town(), folder / "manifiesta.db"
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    store, window = Store(engine), Window(FIRST, FIRST + timedelta(days=DAYS), LIMA)
    fill(file, place, rows, DAYS, hashed)
    run_id = store.begin_run(place, RunStart("run", window, TAXONOMY, "bench"))
    with sqlite3.connect(file) as connection:
        _enrich(connection, rows)
        connection.execute("UPDATE run SET model_version = ? WHERE id = ?", (MODEL, run_id))
        connection.execute("ANALYZE")
    every = [source.name for source in place.sources]
    store.save_partitions(
        run_id,
        [Partition(s, day, Stage.COLLECT, State.DONE, 1) for s in every for day in window.days],
    )
    subject = Counted(run_id, place, window, MODEL, TAXONOMY)
    aggregate(store, subject, {})
    discover(store, subject, load_taxonomy(), _Centres())
    index_labels(engine, subject.basis)
    store.end_run(run_id, State.DONE)
    engine.dispose()
    own = folder / "municipalities"
    own.mkdir(exist_ok=True)
    plain = place.model_dump(mode="json", exclude_unset=True)
    text = yaml.safe_dump(plain | {"base_url": "https://example.pe"}, allow_unicode=True)
    (own / f"{place.code}.yml").write_text(text, encoding="utf-8")
    return run_id


def _enrich(connection: sqlite3.Connection, rows: int) -> None:
    """Give the rows words, threads and doubts; add demands of three texts, and readings."""
    connection.create_function("id_of", 1, hashed, deterministic=True)
    connection.create_function("words", 1, lambda number: said(int(number)))
    connection.execute(
        "UPDATE manifestation SET text = words(external_id), thread_id ="
        " CASE WHEN external_id % 8 THEN id_of(external_id - external_id % 8) END"
    )
    stems = {word: " ".join(stems_of(word)) for word in WORDS}
    connection.create_function("stems", 1, lambda text: " ".join(map(stems.get, text.split())))
    connection.execute(
        "INSERT INTO search_text (manifestation_id, text_hash, stems)"
        " SELECT id, text_hash, stems(text) FROM manifestation"
    )
    connection.execute("UPDATE classification SET confidence = 0.2 + abs(random() % 8000) / 1e4")
    demands = min(DEMANDS, rows // 50)
    states = ("proposed", "proposed", "proposed", "new", "assigned", "in-progress", "answered")
    now = "2026-05-01 12:00:00"
    for number in range(demands):
        state, texts = states[number % len(states)], [hashed(3 * number + i) for i in range(3)]
        waits = state in {"proposed", "new", "assigned", "in-progress"}
        due = None if state == "proposed" else str(FIRST + timedelta(days=number % 200))
        connection.execute(
            "INSERT INTO demand (id, municipality, category, zone, area, status, origin, due_on,"
            " version, proposed_at, confirmed_at, answered_at, updated_at)"
            " VALUES (?, 'bench', ?, ?, ?, ?, 'proposed', ?, 1, ?, ?, ?, ?)",
            (
                *(texts[0], ("transport", "water", "health")[number % 3], f"zona-{number % 20}"),
                *(f"Área {number % 6}", state, due, now),
                *(None if state == "proposed" else now, None if waits else now, now),
            ),
        )
        connection.executemany(
            "INSERT INTO demand_manifestation VALUES (?, ?, ?, ?)",
            [
                (one, texts[0], now, "alike" if place else "founder")
                for place, one in enumerate(texts)
            ],
        )
    connection.execute(
        "INSERT INTO review (municipality, manifestation_id, text_hash, queue, reader, read_at,"
        " category, sentiment, intent, model_version, model_category, model_sentiment,"
        " model_intent) SELECT 'bench', manifestation_id, text_hash, 'random', 'p-1', ?,"
        " category, sentiment, intent, model_version, category, sentiment, intent"
        f" FROM classification ORDER BY manifestation_id LIMIT {READINGS}",
        (now,),
    )


class _Centres:
    """Place texts around as many centres as there shall be topics, in place of an encoder."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        chance = np.random.default_rng(3)
        centres = chance.normal(size=(TOPICS, 32))
        found = centres[chance.integers(0, TOPICS, len(texts))]
        found = found + chance.normal(scale=0.2, size=found.shape)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def reads_whole(self, texts: Sequence[str]) -> np.ndarray:
        return np.ones(len(texts), dtype=bool)


@contextmanager
def served(folder: Path) -> Iterator[tuple[httpx.Client, int]]:
    """Start the command and yield a client and its process; stop it at the end."""
    environment = {
        "MANIFIESTA_HOME": str(folder),
        "MANIFIESTA_DATABASE_URL": f"sqlite:///{folder / 'manifiesta.db'}",
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": ":".join(path for path in sys.path if path),
    }
    start = "from flows.cli import main; main()"
    command = [sys.executable, "-c", start, "serve", "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split(" at ")[1].split(" ")[0]
        limits = httpx.Limits(max_connections=100)
        try:
            with httpx.Client(base_url=address, timeout=120, limits=limits) as client:
                yield client, process.pid
        finally:
            process.send_signal(signal.SIGTERM)


def ask(client: httpx.Client, path: str) -> float:
    """Return the seconds from the request to the last byte of its answer."""
    start = time.perf_counter()
    answer = client.get(path)
    if answer.status_code != 200:
        raise SystemExit(f"{path} answers {answer.status_code}")
    return time.perf_counter() - start


def spent(process: int) -> float:
    """Return the processor's seconds that a process has had (Linux)."""
    return time.clock_gettime((~process << 3) | 2)  # as clock_getcpuclockid names its clock


def settle(process: int) -> None:
    """Wait until a server that has just started has opened its pages ahead of their readers."""
    before, now = -1.0, spent(process)
    while now - before > 0.02:
        time.sleep(10)
        before, now = now, spent(process)


def p95(times: Sequence[float]) -> float:
    """Return the 95th percentile in milliseconds."""
    return 1_000 * quantiles(times, n=20, method="inclusive")[-1]


def measure(folder: Path, paths: dict[str, str], users: int, rounds: int) -> None:
    """Print each page's times, and then those of people who read."""
    with served(folder) as (client, process), ThreadPoolExecutor(users) as readers:
        print(f"{'page':32}{'first':>9}{'median':>9}{'p95':>9}{'CPU':>9}   ms")
        for name, path in paths.items():
            first = ask(client, path)
            before = spent(process)
            times = list(readers.map(lambda _, p=path: ask(client, p), range(users * rounds)))
            cpu = (spent(process) - before) / len(times)
            row = (1_000 * first, 1_000 * median(times), p95(times), 1_000 * cpu)
            print(f"{name:32}" + "".join(f"{value:9.0f}" for value in row), flush=True)
        print(f"\n{users} people who read each page for {READS_FOR:.0f} s on average:")
        tell(
            seen
            for some in readers.map(
                lambda n: _reads(client, _chosen(paths, n, 2 * rounds), n), range(users)
            )
            for seen in some
        )


def measure_first(folder: Path, users: int, *, settled: bool) -> None:
    """Print how long answers take that nobody has asked for before."""
    for seed, pauses in enumerate((READS_FOR, 0.0)):
        asked = list(addresses(seed, ADDRESSES).items())
        with served(folder) as (client, process), ThreadPoolExecutor(users) as readers:
            for path in OPENED_FIRST:
                ask(client, path)
            if settled:
                settle(process)
            before = spent(process)
            times = list(
                readers.map(
                    lambda n, a=asked, p=pauses: _reads(client, a[n::users], n, p), range(users)
                )
            )
            cpu = (spent(process) - before) / len(asked)
            how = f"read each for {pauses:.0f} s on average" if pauses else "make no pause"
            print(f"\n{len(asked)} different addresses, asked first by {users} readers who {how}:")
            tell(seen for some in times for seen in some)
            print(f"{1_000 * cpu:.0f} ms of the processor each")


def measure_alone(folder: Path) -> None:
    """Print the processor's time of answers that nobody has asked for before, one after another."""
    with served(folder) as (client, process):
        for path in OPENED_FIRST:
            ask(client, path)
        settle(process)
        seen = []
        for name, path in addresses(0, ADDRESSES).items():
            before = spent(process)
            ask(client, path)
            seen.append((name, spent(process) - before))
    print(f"{ADDRESSES} different addresses, one after another, the processor's time:")
    tell(seen)


def tell(seen: Iterable[tuple[str, float]]) -> None:
    """Print what a page took, and which were the slowest."""
    by_page: dict[str, list[float]] = defaultdict(list)
    for name, seconds in seen:
        by_page[name].append(seconds)
    every = [seconds for times in by_page.values() for seconds in times]
    print(f"{len(every)} pages, median {1_000 * median(every):.0f}, p95 {p95(every):.0f} ms")
    slow = sorted(by_page, key=lambda name: -max(by_page[name]))[:5]
    print("slowest:", *(f"\n  {n} {1_000 * max(by_page[n]):.0f} ms" for n in slow))


def _chosen(paths: dict[str, str], reader: int, pages: int) -> list[tuple[str, str]]:
    return random.Random(reader).choices(list(paths.items()), k=pages)


def _reads(
    client: httpx.Client, pages: Iterable[tuple[str, str]], reader: int, pauses: float = READS_FOR
) -> list[tuple[str, float]]:
    chance, seen = random.Random(reader), []
    for name, path in pages:
        if pauses:
            time.sleep(chance.expovariate(1 / pauses))
        seen.append((name, ask(client, path)))
    return seen


def main() -> None:
    """Run it and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", help="pages whose name this expression finds")
    parser.add_argument("--first", action="store_true", help="only addresses never asked before")
    parser.add_argument(
        "--started", action="store_true", help="let readers come as soon as the server answers"
    )
    parser.add_argument("--folder", type=Path, help="keep the database here, and use it again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        if not (folder / "municipalities").exists():
            prepare(folder, given.rows)
        with sqlite3.connect(folder / "manifiesta.db") as connection:
            (run_id,) = connection.execute("SELECT max(id) FROM run").fetchone()
        names = {"said": hashed(3), "demand": hashed(0), "run": run_id}
        wanted = {name: path for name, path in PAGES.items() if re.search(given.only or "", name)}
        paths = {name: path.format(**names) for name, path in wanted.items()}
        if not given.first:
            measure(folder, paths, given.users, given.rounds)
        measure_alone(folder)
        measure_first(folder, given.users, settled=not given.started)


if __name__ == "__main__":
    main()
