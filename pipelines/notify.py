"""Tell people what a run found or why it failed, once, by mail, Slack, Telegram or webhook.

Apprise knows the services; their addresses hold secrets and come from the environment or from
files. Only the statements that numbers support are sent, never what a citizen wrote.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from configs.schema import Channel, Municipality, Told
from models.errors import ConfigError
from models.insight_tables import InsightFinding
from pipelines.store.notices import Sent, sent_since
from pipelines.store.read import insight_frame
from pipelines.store.write import Store

Send = Callable[[Sequence[str], str, str], bool]
"""Sends a title and a text to addresses; says whether all took it."""

_MOST = 20  # sentences in one message


@dataclass(frozen=True, slots=True)
class Message:
    """One thing that people may want to know; ``topic`` is the same when it is told again."""

    kind: Told
    topic: str
    sentence: str

    @property
    def digest(self) -> str:
        """What it is known by in the store."""
        return blake2b(f"{self.kind}\x1f{self.topic}".encode(), digest_size=32).hexdigest()


def findings_of(store: Store, run_id: str) -> list[Message]:
    """Return a run's findings and alerts as messages, in their order.

    An alert is of its day, and told again for another; a finding is not: the day of a topic is that
    of its first text in the window, which moves with the window.
    """
    frame = insight_frame(store.engine, InsightFinding, run_id)
    frame = frame[frame["lens"] == ""].sort_values("number")
    return [
        Message(
            "alert" if row["kind"] == "alert" else "finding",
            f"{row['kind']} {row['rule']} {row['subject']} {_day(row['kind'], row['statistic'])}",
            row["sentence_es"],
        )
        for row in frame.to_dict("records")
    ]


def _day(kind: str, statistic: Mapping[str, Any]) -> str:
    return str(statistic.get("day", "")) if kind == "alert" else ""


def failure(where: str, why: str) -> Message:
    """Return the message that something failed; the same reason of the same thing is one topic."""
    return Message("failure", f"{where} {why}", f"{where}: {why}")


def tell(
    store: Store,
    municipality: Municipality,
    run_id: str,
    messages: Iterable[Message],
    where: str,
    send: Send | None = None,
) -> list[str]:
    """Tell each channel what is new to it; return what went wrong, in sentences.

    What a channel took is noted after it took it: told twice is better than never.

    Args:
        store: where it is noted.
        municipality: whose channels are used.
        run_id: the run that has something to tell.
        messages: what it has to tell.
        where: where to read more; it ends the message.
        send: how to send; by Apprise if not given.
    """
    messages, problems = list(messages), []
    for channel in municipality.notify:
        fresh = _new_to(store, municipality, channel, messages)
        if not fresh:
            continue
        try:
            addresses = addresses_of(channel)
        except ConfigError as error:
            problems.append(str(error))
            continue
        title = f"{municipality.name}: {_counted(fresh)}"
        if not (send or send_by_apprise)(addresses, title, _text(fresh, where)):
            problems.append(
                f"channel {channel.name} did not take a message; check {channel.urls_from} with "
                f"`manifiesta notify -m {municipality.code}`"
            )
            continue
        now = datetime.now(UTC)
        store.note_sent(
            Sent(municipality.code, channel.name, one.digest, one.kind, run_id, now)
            for one in fresh
        )
    return problems


def _new_to(
    store: Store, municipality: Municipality, channel: Channel, messages: Sequence[Message]
) -> list[Message]:
    since = datetime.now(UTC) - timedelta(hours=channel.repeat_hours)
    told = sent_since(store.engine, municipality.code, channel.name, since)
    wanted = {one.digest: one for one in messages if one.kind in channel.about}
    return [one for digest, one in wanted.items() if digest not in told]


def addresses_of(channel: Channel, environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return the addresses of a channel, from its variable or from the file that one names.

    Raises:
        ConfigError: there are none, or the file cannot be read; addresses are not in the message.
    """
    name = channel.urls_from
    given = environment.get(name, "")
    if not given and (file := environment.get(f"{name}_FILE")):
        try:
            given = Path(file).read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                f"channel {channel.name}: {name}_FILE cannot be read: {error.strerror}"
            ) from None
    if not given.split():
        raise ConfigError(
            f"channel {channel.name} has no address: set {name} in the environment, or "
            f"{name}_FILE to a file with it"
        )
    return given.split()


def send_by_apprise(addresses: Sequence[str], title: str, text: str) -> bool:
    """Send to addresses as Apprise writes them; false if one is no address or did not take it."""
    from apprise import Apprise, NotifyFormat  # it imports a hundred services

    service = Apprise()
    understood = [service.add(address) for address in addresses]
    taken = service.notify(title=title, body=text, body_format=NotifyFormat.TEXT)
    return all(understood) and bool(taken)


def _counted(messages: Sequence[Message]) -> str:
    names = {
        "alert": ("alerta", "alertas"),
        "finding": ("hallazgo", "hallazgos"),
        "failure": ("falla", "fallas"),
    }
    counts = {kind: sum(one.kind == kind for one in messages) for kind in names}
    return ", ".join(f"{n} {names[kind][n != 1]}" for kind, n in counts.items() if n)


def _text(messages: Sequence[Message], where: str) -> str:
    lines = [f"• {one.sentence}" for one in messages[:_MOST]]
    if len(messages) > _MOST:
        lines.append(f"… y {len(messages) - _MOST} más.")
    return "\n".join([*lines, "", where])
