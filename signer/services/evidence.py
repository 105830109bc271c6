"""The evidence bundle of a confirmation: a ZIP of all that it takes to check it without us, and a receipt made now."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

from signer.domain import content
from signer.domain.confirmation import SealClass
from signer.domain.evidence import Asked
from signer.domain.verdict import Code
from signer.errors import Unavailable
from signer.register import lookup, overview, parties
from signer.register.scope import unknown

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from signer.domain.evidence import RecordFacts
    from signer.domain.number import Number
    from signer.register.blobs import Blobs
    from signer.register.database import Database
    from signer.services.receipts import Receipts
    from signer.services.trust import TrustSource
    from signer.services.verify import Verifying

MIME: Final = "application/zip"
_DAWN: Final = (1980, 1, 1, 0, 0, 0)
"""The first instant that a ZIP can name: no file of a bundle says when it was packed."""
_CONTENT, _LIST, _RECEIPT = "confirmation.json", "trust-list.jws", "receipt.jwt"
_WORDS: Final = {
    "en": {
        "receipt": f"  {_RECEIPT}                 our signed word on this PDF, as of the moment of packing",
        "none": "  (no receipt: the service had no key for receipts at that moment)",
        "check": (
            "  4. receipt.jwt. A compact JWS (ES256); its key stands on the trust list with the purpose `receipt`:\n"
            "       signer receipt receipt.jwt\n"
            "     It must name the SHA-256 of the PDF."
        ),
        "test": "TEST: made for trying out. It has no effect of any kind.",
    },
    "zh": {
        "receipt": f"  {_RECEIPT}                 制作本证据包时对该 PDF 签发的核验回执",
        "none": "  （无回执：当时系统没有可用的回执密钥）",
        "check": (
            "  4. receipt.jwt：紧凑格式的 JWS（ES256），其密钥列于信任名单，用途为 receipt：\n"
            "       signer receipt receipt.jwt\n"
            "     其中所列 SHA-256 应与 PDF 的相同。"
        ),
        "test": "TEST：仅供测试，不具有任何效力。",
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paper:
    """What stands on record of a number: its facts, and the sealed file."""

    record: RecordFacts
    pdf: bytes


class Evidence:
    """Pack evidence bundles. `templates` holds the two READMEs, `verify` is the address of the verify page."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        verifying: Verifying,
        receipts: Receipts,
        trust: TrustSource,
        templates: Path,
        verify: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._verifying = verifying
        self._receipts = receipts
        self._trust = trust
        self._templates = templates
        self._verify = verify
        self._clock = clock

    def bundle(self, number: Number, *, manufacturer: str) -> bytes:
        """
        Return the bundle of a confirmation of this manufacturer (USCC or legal name). NotFound; Unavailable.

        Equal bytes for an equal paper under an equal trust list, but for the receipt. All names in it are ours.
        """
        paper, asked = self._paper(number, manufacturer), Asked()
        verdict = self._verifying.file(paper.pdf, asked)
        if verdict.code is Code.UNREADABLE:  # ours is readable: the machine is too busy, and nothing false is signed
            raise Unavailable(f"{number} could not be verified in time; try again")
        receipt = self._receipts.of_file(verdict, paper.pdf, asked)
        files = {
            f"{number}.pdf": paper.pdf,
            _CONTENT: content.encode(paper.record.whole),
            _LIST: self._trust.published(),
        }
        told = {
            f"README.{language}.txt": self._readme(language, paper, files, has_receipt=receipt is not None)
            for language in sorted(_WORDS)
        }
        signed = {_RECEIPT: receipt.token.encode("ascii")} if receipt else {}
        return pack(told | files | signed)

    def _paper(self, number: Number, manufacturer: str) -> _Paper:
        with self._database.read() as tx:
            scope = parties.tenant(tx, manufacturer).scope
            record = lookup.by_number(tx, number, scope=scope, at=self._clock())
            sealed = [file for file in overview.files(tx, number, scope=scope) if file.kind == "sealed"]
        if record is None or not sealed:
            raise unknown(number)
        return _Paper(record=record, pdf=self._blobs.get(sealed[-1].file_digest))

    def _readme(self, language: str, paper: _Paper, files: dict[str, bytes], *, has_receipt: bool) -> bytes:
        words, number = _WORDS[language], paper.record.number
        is_test = paper.record.whole.terms.seal.seal_class is SealClass.TEST
        text = (self._templates / f"readme.{language}.txt").read_text(encoding="utf-8")
        filled = text.format(
            number=number,
            pdf=f"{number}.pdf",
            sequence=self._trust.current(self._clock()).sequence,
            verify=self._verify,
            digests="\n".join(f"  {hashlib.sha256(data).hexdigest()}  {name}" for name, data in files.items()),
            receipt_line=words["receipt"] if has_receipt else words["none"],
            receipt_check=words["check"] + "\n" if has_receipt else "",
            test=words["test"] if is_test else "",
        )
        return filled.rstrip("\n").encode("utf-8-sig") + b"\n"


def pack(files: dict[str, bytes]) -> bytes:
    """Return a ZIP of files as they are, in this order: the same files are the same bytes, whatever packs them."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, date_time=_DAWN)
            info.create_system, info.external_attr = 3, 0o644 << 16  # a plain file, as on every Unix
            archive.writestr(info, data)
    return target.getvalue()
