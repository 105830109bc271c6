"""
The judge: a PDF and a trust list in, facts about its seal out. Runs in the sandbox's child, and trusts nothing.

Whatever a file does, the answer is SealFacts; no exception leaves.
Source: docs/reference/acceptance-rules.md, rules 1, 2, 3, 5, 7 and 8.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import importlib
from datetime import UTC
from typing import TYPE_CHECKING, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.misc import PdfError

from signer.domain import json_text
from signer.domain.evidence import FAILURES, Form, Indication, Part, SealFacts, State
from signer.domain.number import Number
from signer.domain.trust import Purpose, TrustList
from signer.errors import SignerError
from signer.seal import attachments, chain, examination, fast, pdf, place, precheck
from signer.seal.certificates import printable
from signer.seal.findings import Findings, Id
from signer.seal.sign import FIELD
from signer.seal.task import Task

if TYPE_CHECKING:
    from datetime import datetime

    from pyhanko.pdf_utils.reader import PdfFileReader

    from signer.domain.evidence import SealFinding, SubIndication

_LIST: Final[dict[str, TrustList]] = {}
"""The trust list that was taught last, by the digest of its JSON."""


def learn(taught: bytes) -> None:
    """Know a trust list from now on, by the digest of its JSON, and what its chains are worth. No file is near."""
    trust = TrustList.model_validate_json(taught)
    _LIST.clear()
    _LIST[hashlib.sha256(taught).hexdigest()] = trust
    importlib.import_module("pyhanko.pdf_utils.filters")  # which pyHanko loads late: in every child, but for this
    for entry in trust.entries:
        if entry.purpose is not Purpose.CA:
            chain.judge(entry, trust, at=entry.from_at)


def child(header: bytes, data: bytes) -> bytes:
    """Run as the sandbox's task `signer.seal.validate:child`: a Task as JSON and a file in, SealFacts as JSON out."""
    task = Task.model_validate_json(header)
    return _told(data, _LIST[task.trust_digest], task).model_dump_json(exclude_none=True).encode()


def _told(data: bytes, trust: TrustList, task: Task) -> SealFacts:
    """Answer by the fast path if that may and can, else by the full one, which screens the file once more."""
    if task.is_screened and not task.is_whole:
        with contextlib.suppress(fast.NotMine):
            return quickly(data, trust, task.at)
    return whole(data, trust, task.at)


def validate(file: bytes, trust: TrustList, at: datetime, *, is_known: bool = False) -> SealFacts:
    """
    Gather what can be known about a PDF's seal at an instant; any failure becomes a fact. Source: EN 319 102-1.

    A file of exactly our own shape is answered by the fast path, every other by the whole one: the facts are the same.
    `is_known` is for those who judge behind walls (`reading.facts_of`); it changes nothing here.
    """
    del is_known
    if precheck.refusal(file) is None:
        with contextlib.suppress(fast.NotMine):
            return quickly(file, trust, at)
    return whole(file, trust, at)


def quickly(file: bytes, trust: TrustList, at: datetime) -> SealFacts:
    """
    Gather the same of a file of our own shape in which nothing failed, by the fast path. Raises fast.NotMine.

    Only for a file of which `precheck` refuses nothing: the caller has asked.
    """
    found = fast.examine(file, trust, at)
    number = _number_of_content(found.content)
    if number is None:
        raise fast.NotMine("its content names no number")
    facts = _facts(found.result, claimed_at=found.claimed_at)
    read = {"claimed_number": number, "content": _text(found.content), "log_proof": _text(found.proof)}
    return facts.model_copy(update=read)


def whole(file: bytes, trust: TrustList, at: datetime) -> SealFacts:
    """Gather the same by the full path alone, which reads every file."""
    refused = precheck.refusal(file)
    if refused is not None and refused.is_final:
        return SealFacts(form=Form.UNREADABLE, reason=refused.reason, detail=refused.detail)
    if refused is not None:
        return _damaged(file, trust, refused.detail)
    try:
        return _judge(file, trust, at)
    except Exception as error:  # noqa: BLE001 - the outermost edge of judging: parsers raise some fifty kinds of error
        return _damaged(file, trust, f"{type(error).__name__}: {error}")


def _damaged(file: bytes, trust: TrustList, detail: str) -> SealFacts:
    """Answer for a file that cannot be read to the end: altered if it claims to be ours, else unreadable."""
    detail = printable(detail, most=300)
    if not precheck.claims_ours(file, (entry.der for entry in trust.of(Purpose.PDF_SEAL))):
        return SealFacts(form=Form.UNREADABLE, reason="MALFORMED", detail=detail)
    findings = Findings()
    findings.failed(Id.FILE_FORM, "FORMAT_FAILURE", detail)
    return SealFacts(
        form=Form.SEALED,
        reason="MALFORMED",
        detail=detail,
        claimed_number=precheck.number_in(file),
        indication="TOTAL-FAILED",
        sub_indication="FORMAT_FAILURE",
        findings=findings.all(),
    )


def _judge(file: bytes, trust: TrustList, at: datetime) -> SealFacts:
    """Read the file, decide whether it claims to be ours, and examine its seal. Raises whatever a parser raises."""
    reader = pdf.open_strictly(file)
    if reader.security_handler is not None:
        return SealFacts(form=Form.UNREADABLE, reason="ENCRYPTED", detail="the file is encrypted")
    fields = place.fields(reader)
    seal = place.the_seal(fields)
    document = examination.open_sealed(file, reader, fields, seal) if seal is not None else None
    own = document.reader if document is not None else reader
    files = attachments.read(own)
    number = _claimed_number(own, files.content)
    has_our_field = any(found.name == FIELD for found in fields)
    is_claimed = has_our_field or attachments.CONTENT in files.names or number is not None
    content = _text(files.content)
    if document is None:
        if not is_claimed:
            return SealFacts(form=Form.STRANGER)
        return SealFacts(form=Form.UNSEALED, claimed_number=number, content=content)
    findings = Findings()
    findings.settle(Id.ATTACHMENTS, files.fault, sub_indication="SIG_CONSTRAINTS_FAILURE")
    result = examination.examine(document, findings, trust=trust, at=at)
    if not is_claimed and result.entry is None:
        return SealFacts(form=Form.STRANGER)
    found = _facts(result, claimed_at=_claimed_at(document.seal.signature))
    return found.model_copy(update={"claimed_number": number, "content": content, "log_proof": _text(files.proof)})


def _text(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def _facts(result: examination.Result, *, claimed_at: datetime | None) -> SealFacts:
    indication, sub_indication = _indication(result.findings)
    signer = result.signer
    return SealFacts(
        form=Form.SEALED,
        reason=result.reason,
        sealed_length=result.sealed_length,
        certificate_digest=signer.digest if signer else None,
        certificate_subject=signer.subject if signer else "",
        test_policy=signer.is_test if signer else False,
        claimed_at=claimed_at,
        chain_not_before=result.chain.not_before if result.chain else None,
        chain_not_after=result.chain.not_after if result.chain else None,
        timestamp=result.timestamp,
        archived=result.archived,
        level=result.level,
        indication=indication,
        sub_indication=sub_indication,
        findings=result.findings,
    )


def _indication(found: tuple[SealFinding, ...]) -> tuple[Indication, SubIndication | None]:
    """
    Return the indication of EN 319 102-1 and its sub-indication; timestamps that are missing take nothing away.

    What failed comes before what is open, the file before the seal, and of the file's faults a total failure first.
    """
    counted = [one for one in found if one.id not in (Id.TIMESTAMP, Id.ARCHIVE) and one.state is not State.PASSED]
    if not counted:
        return "TOTAL-PASSED", None
    counted.sort(key=lambda one: (one.state is not State.FAILED, one.part is not Part.INTEGRITY, not _is_total(one)))
    first = counted[0]
    word = next((one.sub_indication for one in counted if one.sub_indication), None)
    return ("TOTAL-FAILED" if _is_total(first) else "INDETERMINATE"), word


def _is_total(one: SealFinding) -> bool:
    return one.state is State.FAILED and one.sub_indication in FAILURES


def _claimed_at(signature: generic.DictionaryObject) -> datetime | None:
    """Return /M, the time that the sealer claims, or None if it is none."""
    try:
        claimed = generic.parse_pdf_date(pdf.text(signature, "/M"), strict=True)
        return claimed.astimezone(UTC) if claimed.tzinfo is not None else None
    except (PdfError, ValueError, OverflowError, TypeError):
        return None


def _claimed_number(reader: PdfFileReader, content: bytes | None) -> Number | None:
    """Return the number that a file names: in its content, else in its title or description."""
    if content is not None and (number := _number_of_content(content)) is not None:
        return number
    title = pdf.text(pdf.entry(reader.trailer, "/Info", generic.DictionaryObject), "/Title")
    described = pdf.entry(reader.root, "/Metadata", generic.StreamObject).data if "/Metadata" in reader.root else b""
    return precheck.number_in(title.encode("utf-8", "replace")) or precheck.number_in(described)


def _number_of_content(content: bytes) -> Number | None:
    try:
        value = json_text.load(content, most_bytes=attachments.MOST_BYTES)
        found = value.get("number") if isinstance(value, dict) else None
        return Number(found) if isinstance(found, str) else None
    except (SignerError, ValueError):
        return None
