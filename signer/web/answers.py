"""One question answered and drawn: of a file, a record or a licence; the same with an account and without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.web import telling
from signer.web.asking import FileAsked, RecordAsked

if TYPE_CHECKING:
    from signer.domain.verdict import Verdict
    from signer.services.answering import Answering
    from signer.services.licence import Answer
    from signer.services.receipts import Receipt
    from signer.web.asking import Form, LicenceAsked
    from signer.web.pages import Inside, Pages


@dataclass(frozen=True, slots=True, kw_only=True)
class OfOne:
    """The verdict on one file or record, with its receipt."""

    wanted: FileAsked | RecordAsked
    verdict: Verdict
    receipt: Receipt | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLicence:
    """The table of a licence, with its receipt."""

    wanted: LicenceAsked
    answer: Answer
    receipt: Receipt | None


Answered = OfOne | OfLicence


def answer(services: Answering, wanted: FileAsked | RecordAsked | LicenceAsked, *, network: str) -> Answered:
    """Answer a question. As the services do: InvalidInput, TooManyRequests; Refused if something is missing."""
    if isinstance(wanted, FileAsked):
        verdict = services.verifying.file(wanted.upload.data, wanted.asked)
        receipt = services.receipts.of_file(verdict, wanted.upload.data, wanted.asked)
        return OfOne(wanted=wanted, verdict=verdict, receipt=receipt)
    if isinstance(wanted, RecordAsked):
        verdict = telling.look_up(services.lookups, wanted.look_up, network=network)
        receipt = telling.receipt_of(services.receipts, verdict, wanted.look_up)
        return OfOne(wanted=wanted, verdict=verdict, receipt=receipt)
    found = services.licence.check(wanted.question, network=network)
    return OfLicence(wanted=wanted, answer=found, receipt=services.receipts.of_licence(found))


def drawn(pages: Pages, answered: Answered, filled: Form, *, inside: Inside | None = None) -> str:
    """Draw an answer."""
    receipt = answered.receipt
    if isinstance(answered, OfLicence):
        return pages.licence(answered.answer, filled, receipt=receipt, inside=inside)
    wanted = answered.wanted
    upload = wanted.upload if isinstance(wanted, FileAsked) else None
    asked = wanted.asked if isinstance(wanted, FileAsked) else wanted.look_up.asked
    return pages.verdict(answered.verdict, asked=asked, filled=filled, upload=upload, receipt=receipt, inside=inside)
