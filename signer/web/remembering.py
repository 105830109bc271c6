"""What is remembered of an answer in its asker's history, in a few words; the answer itself is in its receipt."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from signer.services.inspecting import Asked
from signer.web.answers import OfLicence
from signer.web.asking import FileAsked

if TYPE_CHECKING:
    from signer.web.answers import Answered
    from signer.web.asking import RecordAsked
    from signer.web.intake import Upload

_DIGEST_SHOWN = 16


def asked_of(answered: Answered, reference: str) -> Asked:
    """Return what is remembered of an answer."""
    if isinstance(answered, OfLicence):
        found = answered.answer
        question = found.question
        subject = f"{found.asked} VIN · {question.destination} · {question.exporter}"
        answer = f"{found.matched} / {found.asked}"
        return Asked(
            kind="licence",
            subject=subject,
            answer=answer,
            outcome=found.outcome.value,
            reference=reference,
            receipt=answered.receipt,
        )
    wanted, verdict = answered.wanted, answered.verdict
    return Asked(
        kind="file" if isinstance(wanted, FileAsked) else "record",
        subject=_of_file(wanted.upload) if isinstance(wanted, FileAsked) else _of_record(wanted),
        answer=verdict.code.value,
        outcome=verdict.outcome.value,
        reference=reference,
        receipt=answered.receipt,
    )


def _of_record(wanted: RecordAsked) -> str:
    """Return what a look-up was about: its numbers, or the beginning of a file's SHA-256."""
    question = wanted.look_up
    if question.code is not None:
        return question.code[-_DIGEST_SHOWN:]
    return " ".join(question.numbers) or f"SHA-256 {(question.digest or '')[:_DIGEST_SHOWN]}"


def _of_file(upload: Upload) -> str:
    """Return a file's name; the beginning of its SHA-256 for one that came without."""
    return upload.name or f"SHA-256 {hashlib.sha256(upload.data).hexdigest()[:_DIGEST_SHOWN]}"
