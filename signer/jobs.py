"""The queue: huey wakes whoever works; what is to be done stands in the register, so a lost queue loses nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from huey import PostgresHuey, SqliteHuey, crontab
from huey.registry import Message
from huey.serializer import Serializer

if TYPE_CHECKING:
    from huey import Huey

    from signer.wiring import Services

NAME = "signer"


class Plain(Serializer):  # type: ignore[misc] # huey has no types
    """Messages as JSON: nothing that is read from a queue is ever run, as pickle would."""

    def _serialize(self, data: Message) -> bytes:
        return json.dumps(list(data)).encode()

    def _deserialize(self, data: bytes) -> Message:
        fields = json.loads(data)
        found = Message(*fields)
        return found._replace(args=tuple(found.args or ()))


def queue(services: Services) -> Huey:
    """Make the queue: in the register's own PostgreSQL, or in a file beside SQLite; its one task wakes us."""
    made = _open(services)

    @made.periodic_task(crontab(minute="*"), name="wake")  # type: ignore[untyped-decorator] # huey has no types
    def wake() -> None:
        services.working.run_due()

    return made


def _open(services: Services) -> Huey:
    options = {"results": False, "serializer": Plain()}
    if services.database.dialect == "postgresql":
        return PostgresHuey(NAME, dsn=services.database.dsn, blocking=False, **options)
    return SqliteHuey(NAME, filename=str(services.settings.data_dir / "queue.sqlite3"), **options)


def run(services: Services) -> None:
    """Work until SIGTERM: first what is due already, then whenever the queue wakes us."""
    services.working.run_due()
    queue(services).create_consumer(workers=1, periodic=True, graceful_signal="TERM").run()
