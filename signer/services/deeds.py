"""Do what a machine asks once, however often it asks with the same key, and whatever died in between."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.errors import KeyReused, KeyRunning
from signer.register import deeds
from signer.register.deeds import Deed, Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from signer.register.database import Database, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer as it was given: HTTP's status, the headers that belong to it, the body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Doing:
    """
    One deed under way.

    `answered` is the first answer if it was given already; `made` the reference of what exists already, though nobody
    was told: then nothing is to be done but to answer.
    """

    def __init__(
        self, database: Database, key: Key, *, held: datetime, made: str | None, answered: Answer | None
    ) -> None:
        self._database = database
        self._key = key
        self._held = held
        self.made = made
        self.answered = answered

    def note(self, tx: Transaction, made: str) -> None:
        """Write down what is made, in the transaction that makes it. KeyRunning if another one took the key over."""
        deeds.note(tx, self._key, made, held=self._held)
        self.made = made

    def keep(self, answer: Answer) -> None:
        """Keep the answer, to be given again as long as what it tells of is kept."""
        with self._database.write() as tx:
            deeds.answer(tx, self._key, held=self._held, status=answer.status, headers=answer.headers, body=answer.body)


class Deeds:
    """The keys of all machines; each counts for one owner and one operation (docs/reference/api.md)."""

    def __init__(self, *, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    @contextmanager
    def doing(self, owner: str, operation: str, key: str, *, payload: bytes) -> Iterator[Doing]:
        """
        Hold a key while its deed is done; an error frees it, unless something was made.

        KeyRunning while another process holds it; KeyReused if it came before with another payload.
        """
        mine = Key(owner, operation, hashlib.sha256(key.encode("utf-8")).digest())
        known, held = self._take(mine, hashlib.sha256(payload).digest())
        answered = None
        if known is not None and known.status is not None:
            answered = Answer(status=known.status, headers=known.headers, body=known.body or b"")
        doing = Doing(self._database, mine, held=held, made=known.made if known else None, answered=answered)
        try:
            yield doing
        except BaseException:
            if answered is None:
                with self._database.write() as tx:
                    deeds.release(tx, mine, held)
            raise

    def _take(self, key: Key, payload_digest: bytes) -> tuple[Deed | None, datetime]:
        """Return what is known under a key, and until when it is held from now on."""
        at = self._clock()
        with self._database.write() as tx:
            known = deeds.find(tx, key)
            if known is None:
                return None, deeds.begin(tx, key, payload_digest=payload_digest, at=at)
            if known.payload_digest != payload_digest:
                raise KeyReused("this key came before, with another payload")
            if known.status is not None:
                return known, at
            if known.lease_until is not None and known.lease_until > at:
                raise KeyRunning("this key is being worked on")
            return known, deeds.take_over(tx, key, at=at)
