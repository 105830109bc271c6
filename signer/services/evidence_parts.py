"""What the service says of a confirmation at the moment, each part signed: for its evidence bundle."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from signer.domain import log_leaf
from signer.domain.bundle import LASTS_DAYS
from signer.domain.log_leaf import LeafType
from signer.domain.record_word import Place, RecordWord
from signer.domain.trust import Purpose
from signer.errors import SignerError
from signer.register import bundling, restores, status_lists
from signer.seal import record_word

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.number import Number
    from signer.register.database import Database, Transaction
    from signer.register.scope import Scope
    from signer.services.logbook import LogBook
    from signer.services.service_keys import ServiceKeys
    from signer.services.trust import TrustSource

CONTENT, LIST, RECEIPT = "confirmation.json", "trust-list.jws", "receipt.jwt"
RECORD, STATUS, PROOF, CHECKPOINT = "record.jwt", "status-list.jwt", "log-proof.json", "checkpoint.txt"
PARTS: Final = {
    "content": CONTENT,
    "list": LIST,
    "record": RECORD,
    "status": STATUS,
    "proof": PROOF,
    "checkpoint": CHECKPOINT,
    "receipt": RECEIPT,
}
"""What each part is called in the words of a README, and its file, in the order of the bundle."""


class Present:
    """Sign what the register, its status list and its log say of one confirmation now."""

    def __init__(
        self,
        *,
        database: Database,
        trust: TrustSource,
        keys: ServiceKeys,
        logbook: LogBook,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._trust = trust
        self._keys = keys
        self._logbook = logbook
        self._clock = clock

    @property
    def sequence(self) -> int:
        """Which trust list is in use."""
        return self._trust.current(self._clock()).sequence

    def parts(self, number: Number, *, scope: Scope) -> dict[str, bytes]:
        """Return the parts, by their files; without a key, or before the log has come to it, one is left out."""
        at = self._clock().replace(microsecond=0)
        with self._database.read() as tx:
            word = self._word(tx, number, scope=scope, at=at)
            kept = status_lists.newest(tx, word.status.list) if word and word.status else None
        may_be = {
            LIST: self._trust.published(),
            RECORD: self._signed(word),
            STATUS: kept.token if kept else None,
            **self._logged(number),
        }
        return {name: data for name, data in may_be.items() if data is not None}

    def _word(self, tx: Transaction, number: Number, *, scope: Scope, at: datetime) -> RecordWord | None:
        """Return what the register says of a number now, as an offline bundle would."""
        found = bundling.one(tx, number, scope=scope, at=at)
        place, trust = status_lists.place(tx, number), self._trust.current(at)
        if found is None:
            return None
        return RecordWord(
            origin=trust.origin,
            test=trust.test,
            trust_list=trust.sequence,
            as_of=at,
            expires=at + timedelta(days=LASTS_DAYS),
            gaps=restores.gaps(tx),
            record=found,
            status=Place(list=place[0], index=place[1]) if place else None,
        )

    def _signed(self, word: RecordWord | None) -> bytes | None:
        """Sign the register's word; None where there is no key for it: the bundle is made all the same."""
        try:
            return record_word.sign(word, self._keys.open(Purpose.BUNDLE)) if word else None
        except SignerError:
            return None

    def _logged(self, number: Number) -> dict[str, bytes | None]:
        """Return the proof that the issue is in the log, and the log's head, as far as there are."""
        try:
            proof = self._logbook.proof(number) or self._logbook.proof(number, LeafType.BACKFILL)
            head = self._logbook.checkpoint()
        except SignerError:
            return {}
        return {PROOF: log_leaf.encode_proof(proof) if proof else None, CHECKPOINT: head.encode("utf-8")}
