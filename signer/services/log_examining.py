"""Name what is wrong with the log: its key, its secret, its head, and what has been waiting for it too long."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from signer.errors import SignerError
from signer.register import log
from signer.seal import log_key
from signer.services.seals import nearest_step
from signer.transparency import checkpoints, notes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from signer.register.database import Database
    from signer.register.heads import Heads
    from signer.register.log import Signed
    from signer.services.log_keys import LogKeys
    from signer.services.sequencing import Sequencing
    from signer.settings import Settings

Health = Literal["ok", "warning", "error"]
LATE = timedelta(minutes=10)
"""What was issued and is not in the log for so long is no longer believed to be on its way."""


class LogExamining:
    """Look at the log; nothing is changed."""

    def __init__(
        self,
        settings: Settings,
        *,
        database: Database,
        keys: LogKeys,
        heads: Heads,
        sequencing: Sequencing,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._database = database
        self._keys = keys
        self._heads = heads
        self._sequencing = sequencing
        self._clock = clock

    def examine(self) -> Iterator[tuple[Health, str]]:
        """Return the health of each part, with what to do next."""
        with self._database.read() as tx:
            head, since = log.latest(tx), log.waiting_since(tx)
        if not self._keys.are_there:
            yield "warning", f"{self._settings.keys / log_key.FILE} is not there: nothing goes into the log"
            return
        yield from self._key(is_begun=head is not None and head.size > 0)
        is_held = False
        try:
            with self._database.read() as tx:
                self._sequencing.refuse_older(tx, head)
        except SignerError as error:
            is_held = True
            yield "error", str(error)
        if since is not None and since <= self._clock() - LATE and not is_held:
            yield "warning", f"something has waited since {since:%Y-%m-%dT%H:%M:%SZ}: start `signer worker`"
        yield from self._head(head)

    def _key(self, *, is_begun: bool) -> Iterator[tuple[Health, str]]:
        try:
            key = self._keys.open()
            if is_begun:
                self._keys.secret(is_new=False)
        except SignerError as error:
            yield "error", f"{error}: nothing goes into the log"
            return
        days = (key.certificate.not_after - self._clock()).days
        health: Health = "ok" if nearest_step(days) is None else "warning"
        yield health, f"{log_key.FILE} opens, its certificate has {days} days left"
        for name in (log_key.FILE, log_key.SECRET_FILE):
            path = self._settings.keys / name
            if path.exists() and path.stat().st_mode & 0o007:
                yield "warning", f"{path} is open to everyone: chmod 600 {path}"

    def _head(self, head: Signed | None) -> Iterator[tuple[Health, str]]:
        if head is None:
            yield "ok", "nothing has been logged yet"
            return
        origin = checkpoints.parse(notes.split(head.note)[0]).origin
        if origin != (here := self._keys.origin()):
            yield "warning", f"it is called {origin}, and verifiers look for {here}: no proof goes into files"
        yield "ok", f"{origin}: {head.size} leaves, signed {head.signed_at:%Y-%m-%dT%H:%M:%SZ}"
        if self._settings.log_head is None and self._settings.mode == "production":
            yield "warning", "its head is remembered in the data folder alone: set SIGNER_LOG_HEAD, on another disk"
