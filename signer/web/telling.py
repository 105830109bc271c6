"""How answers are told: as JSON, as one line for a case file; and which look-up a question is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from signer.domain.evidence import Asked
from signer.domain.values import format_instant
from signer.seal.findings import QUESTIONS
from signer.verification import report, wording
from signer.web.problems import Fault, Refused

if TYPE_CHECKING:
    from signer.domain.json_text import Json
    from signer.domain.verdict import Verdict
    from signer.services.answering import ReceiptMaking, RecordLookups
    from signer.services.licence import Answer
    from signer.services.receipts import Receipt
    from signer.verification.wording import Speech

CHECK_TEXTS = {str(which): (asked.zh, asked.en) for which, asked in QUESTIONS.items()}
_NOTHING = Asked()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUp:
    """A question about the record: by a number and a tail, by numbers and full VINs, by a file's SHA-256, or a code."""

    numbers: tuple[str, ...] = ()
    tail: str | None = None
    digest: str | None = None
    code: str | None = None
    asked: Asked = _NOTHING


def look_up(lookups: RecordLookups, question: LookUp, *, network: str) -> Verdict:
    """Ask the register. Raises Refused when something is missing, InvalidInput, TooManyRequests."""
    if question.code is not None:
        return lookups.code(question.code, question.asked)
    if question.digest is not None and not question.numbers:
        return lookups.digest(question.digest)
    if question.tail is not None and len(question.numbers) == 1:
        return lookups.by_tail(question.numbers[0], question.tail, network=network, asked=question.asked)
    wanted = question.asked
    if question.numbers and wanted.vins and wanted.destination and wanted.exporter:
        return lookups.covered(question.numbers, wanted, network=network)
    raise Refused("invalid-input", (_INCOMPLETE,))


def receipt_of(receipts: ReceiptMaking, verdict: Verdict, question: LookUp) -> Receipt | None:
    """Return the receipt of a look-up, for the question as it was asked."""
    if question.code is not None:
        return receipts.of_record(verdict, question.asked, code=question.code)
    if question.digest is not None and not question.numbers:
        return receipts.of_record(verdict, question.asked, sha256=question.digest)
    tail = question.tail if len(question.numbers) == 1 else None
    return receipts.of_record(verdict, question.asked, numbers=question.numbers, tail=tail)


_INCOMPLETE = Fault(
    pointer="",
    code="lookup.incomplete",
    zh="请提供：一个编号和一个车辆识别代号的后六位；或编号、全部车辆识别代号、目的国和出口企业；或文件的 SHA-256",
    en="give one number and a VIN's last six; or numbers, every VIN in full, destination and exporter; or a SHA-256",
)


def verdict_json(verdict: Verdict, speech: Speech, receipt: Receipt | None = None) -> dict[str, Json]:
    """Return a verdict as the API and the command line give it."""
    return report.as_json(verdict, speech, check_texts=CHECK_TEXTS, receipt=receipt.token if receipt else None)


def licence_json(answer: Answer, speech: Speech, receipt: Receipt | None = None) -> dict[str, Json]:
    """Return the answer of a licence check. Its one receipt is of the whole; the verdicts in it have none."""
    return {
        "outcome": answer.outcome.value,
        "test": answer.test,
        "matched": answer.matched,
        "asked": answer.asked,
        "rows": [
            {
                "vin": row.vin,
                "state": row.state,
                "number": row.number,
                "issuer": row.issuer,
                "window": row.window.model_dump(mode="json") if row.window else None,
            }
            for row in answer.rows
        ],
        "issuers": list(answer.issuers),
        "destination": answer.question.destination,
        "exporter": answer.question.exporter,
        "applied_on": answer.question.applied_on.isoformat(),
        "checked_at": format_instant(answer.checked_at),
        "line": licence_line(answer, speech, receipt=receipt),
        "sources": [
            {
                "name": source.name,
                "sha256": source.sha256,
                "verdict": verdict_json(source.verdict, speech),
            }
            for source in answer.sources
        ],
        "receipt": receipt.token if receipt else None,
    }


def verdict_line(verdict: Verdict, speech: Speech, *, digest: str | None, receipt: Receipt | None = None) -> str:
    """Return the one line that an officer puts into a case file."""
    parts = [
        wording.beijing(verdict.checked_at),
        f"{verdict.code}{' (TEST)' if verdict.test else ''}: {wording.banner(verdict.code, speech)}",
        verdict.number or "",
        verdict.issuer.name if verdict.issuer else "",
        f"SHA-256 {digest}" if digest else "",
        verdict.policy,
        _receipt_words(receipt, speech),
    ]
    return " | ".join(part for part in parts if part)


def licence_line(answer: Answer, speech: Speech, *, receipt: Receipt | None = None) -> str:
    """Return the one line about a licence for a case file."""
    question = answer.question
    numbers = dict.fromkeys(source.verdict.number for source in answer.sources if source.verdict.number)
    told = f"{answer.matched} / {answer.asked} VIN"
    parts = [
        wording.beijing(answer.checked_at),
        f"{answer.outcome.upper()}{' (TEST)' if answer.test else ''}: {told}",
        f"{question.destination} | {question.exporter} | {question.applied_on.isoformat()}",
        ", ".join(numbers),
        ("；" if speech == "zh" else "; ").join(answer.issuers),
        _receipt_words(receipt, speech),
    ]
    return " | ".join(part for part in parts if part)


def _receipt_words(receipt: Receipt | None, speech: Speech) -> str:
    if receipt is None:
        return ""
    return f"{wording.say('told.receipt', ('凭证', 'receipt'), speech)} {receipt.jti}"
