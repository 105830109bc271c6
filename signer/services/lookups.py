"""Answer about a number without its file: only about what the asker already holds, and not for guessing."""

from __future__ import annotations

import hmac
import re
import unicodedata
from datetime import timedelta
from typing import TYPE_CHECKING

from signer import metrics
from signer.domain.evidence import Asked, RecordFacts
from signer.domain.number import Number
from signer.domain.values import beijing_day
from signer.errors import InvalidInput, TooManyRequests
from signer.metrics.catalogue import VERDICTS
from signer.register import lookup, official, restores
from signer.register.scope import Scope
from signer.services.alarms import NoWatch
from signer.services.on_paper import Found, typed_code
from signer.verification import record as records
from signer.verification.record import RecordQuestion

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.trust import TrustList
    from signer.domain.verdict import Verdict
    from signer.register.database import Database, Transaction
    from signer.services.alarms import Watch
    from signer.services.on_paper import PaperJudging
    from signer.verification.policy import Policy

MOST_PER_NUMBER, NUMBER_SPAN = 10, timedelta(days=1)
MOST_PER_NETWORK, NETWORK_SPAN = 30, timedelta(hours=1)
_ANYBODY = Scope.everything("anybody may ask for any number")

MOST_NUMBERS = 40
_TAIL = re.compile(r"[0-9A-Z]{6}")


class LookingUp:
    """Look records up by number and tail, by numbers and full VINs, or by a file's SHA-256."""

    def __init__(
        self,
        *,
        database: Database,
        trust: Callable[[], TrustList],
        policy: Policy,
        clock: Callable[[], datetime],
        papers: PaperJudging,
        watch: Watch | None = None,
    ) -> None:
        self._papers = papers
        self._watch = watch or NoWatch()
        self._database = database
        self._trust = trust
        self._policy = policy
        self._clock = clock

    def by_tail(self, number: str, tail: str, *, network: str, asked: Asked | None = None) -> Verdict:
        """
        Return ON_RECORD, or the record's standing, for a number **and** the last six characters of one of its VINs.

        NOT_ON_RECORD is one answer, equal in body and time, for every other case; INDETERMINATE takes its place
        while a restored register has an open gap. Raises InvalidInput for a number or tail that cannot be one,
        TooManyRequests.
        """
        parsed, wanted = parse_number(number), parse_tail(tail)
        at = self._clock()
        with self._database.read() as tx:
            _refuse_guessing(tx, (parsed,), network, at)
            gaps = restores.gaps(tx)
            tails = lookup.tails_of(tx, parsed, scope=_ANYBODY)
            is_match = sum(hmac.compare_digest(wanted, known) for known in tails) > 0
            record = lookup.by_number(tx, parsed, scope=_ANYBODY, at=at) if is_match else None
        if record is None or not records.is_public(record):
            return self._absent((parsed,), network, at, is_complete=not gaps)
        question = self._question(at, (record.over(gaps),))
        return self._heeded(records.on_record(question, asked or Asked(), self._policy, today=beijing_day(at)))

    def share(self, number: str, asked: Asked, *, network: str) -> Verdict:
        """
        Return `covered` for those of the VINs that this number lists: one of several that together cover a licence.

        Raises InvalidInput, TooManyRequests.
        """
        at = self._clock()
        with self._database.read() as tx:
            record = lookup.by_number(tx, parse_number(number), scope=_ANYBODY, at=at)
        listed = set(record.vins) if record else set()
        mine = tuple(vin for vin in asked.vins if vin in listed)
        return self.covered((number,), asked.model_copy(update={"vins": mine or asked.vins}), network=network)

    def covered(self, numbers: tuple[str, ...], asked: Asked, *, network: str) -> Verdict:
        """
        Return COVERED if these records cover every VIN asked, in full, for this destination and exporter, all in force.

        A number none of whose VINs was named is as good as unknown. Raises InvalidInput, TooManyRequests.
        """
        parsed = tuple(dict.fromkeys(parse_number(number) for number in numbers))
        if not parsed or len(parsed) > MOST_NUMBERS:
            raise InvalidInput("number", f"give 1 to {MOST_NUMBERS} numbers")
        if not (asked.vins and asked.destination and asked.exporter):
            raise InvalidInput("vin", "every VIN in full, the destination and the exporter's USCC are needed")
        at = self._clock()
        with self._database.read() as tx:
            _refuse_guessing(tx, parsed, network, at)
            gaps = restores.gaps(tx)
            found = tuple(lookup.by_number(tx, number, scope=_ANYBODY, at=at) for number in parsed)
        held = tuple(record.over(gaps) for record in found if record is not None and _is_held(record, asked))
        if len(held) < len(parsed):
            missing = tuple(number for number in parsed if number not in {record.number for record in held})
            return self._absent(missing, network, at, is_complete=not gaps)
        return self._heeded(records.covered(self._question(at, held), asked, self._policy, today=beijing_day(at)))

    def digest(self, sha256: str) -> Verdict:
        """Return ON_RECORD, or the standing, for a file's SHA-256 (hex); INDETERMINATE (SEND_FILE) if it is unknown."""
        text = sha256.strip().lower()
        if not re.fullmatch(r"[0-9a-f]{64}", text):
            raise InvalidInput("sha256", "is 64 hexadecimal digits")
        at = self._clock()
        with self._database.read() as tx:
            number = _number_of(tx, bytes.fromhex(text))
            record = lookup.by_number(tx, number, scope=_ANYBODY, at=at) if number else None
            gaps = restores.gaps(tx)
        if record is None or not records.is_public(record):
            return _counted(records.unknown_digest(self._question(at, (), subject="digest"), self._policy))
        question = self._question(at, (record.over(gaps),), subject="digest")
        return self._heeded(records.on_record(question, Asked(), self._policy, today=beijing_day(at)))

    def code(self, text: str, asked: Asked | None = None) -> Verdict:
        """
        Return the verdict on a signed code as text: an address, or its digits. Nobody guesses one: none is counted.

        InvalidInput for what cannot be one.
        """
        return self._heeded(self._papers.verdict((Found(1, typed_code(text)),), lambda _: asked or Asked()))

    def _heeded(self, verdict: Verdict) -> Verdict:
        self._watch.heed(verdict)
        return _counted(verdict)

    def _question(self, at: datetime, found: tuple[RecordFacts, ...], subject: str = "record") -> RecordQuestion:
        trust = self._trust()
        return RecordQuestion.model_validate(
            {"at": at, "test": trust.test, "trust_list": trust.sequence, "records": found, "subject": subject}
        )

    def _absent(self, numbers: tuple[Number, ...], network: str, at: datetime, *, is_complete: bool) -> Verdict:
        with self._database.write() as tx:
            lookup.prune_failures(tx, before=at - NUMBER_SPAN)
            for number in numbers:
                lookup.note_failure(tx, number=number, network=network, at=at)
        self._watch.missed(numbers)
        question = self._question(at, ()).model_copy(update={"is_complete": is_complete})
        return _counted(records.absent(question, self._policy))


def _counted(verdict: Verdict) -> Verdict:
    metrics.count(VERDICTS, verdict.code, "record")
    return verdict


def _refuse_guessing(tx: Transaction, numbers: tuple[Number, ...], network: str, at: datetime) -> None:
    many = lookup.failures(tx, since=at - NETWORK_SPAN, network=network[:64]) >= MOST_PER_NETWORK
    if many:
        raise TooManyRequests("too many look-ups failed from this network", retry_after_s=3600)
    for number in numbers:
        if lookup.failures(tx, since=at - NUMBER_SPAN, number=number) >= MOST_PER_NUMBER:
            raise TooManyRequests(
                f"too many look-ups of {number} failed; verify the file or its printed code instead",
                retry_after_s=86_400,
            )


def _number_of(tx: Transaction, file_digest: bytes) -> Number | None:
    """Return the number under which a file is recorded, or filed as an official copy."""
    number = lookup.number_of_file(tx, file_digest, scope=_ANYBODY)
    if number is None and (copy := official.filed(tx, file_digest)) is not None:
        return copy.number
    return number


def parse_number(typed: str) -> Number:
    """Parse a typed number; InvalidInput tells whether its length or its check character is wrong."""
    words = {
        "number.length": "a number has 14 characters (XXXXX-XXXXX-XXXX)",
        "number.alphabet": "a number has digits and letters without I, L, O and U",
        "number.check": "its check character does not fit: a character was mistyped",
    }
    try:
        return Number.parse(typed)
    except ValueError as error:
        raise InvalidInput("number", words.get(str(error), "is not a number of ours")) from error


def parse_tail(typed: str) -> str:
    """Parse the last six characters of a VIN as typed, or a whole VIN."""
    folded = "".join(unicodedata.normalize("NFKC", typed).upper().split()).replace("-", "")
    tail = folded[-6:] if len(folded) in (6, 17) else ""
    if not _TAIL.fullmatch(tail):
        raise InvalidInput("tail", "give the last six characters of one of the VINs")
    return tail


def _is_held(record: RecordFacts, asked: Asked) -> bool:
    return records.is_public(record) and any(vin in asked.vins for vin in record.vins)
