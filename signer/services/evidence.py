"""The evidence bundle of a confirmation: a ZIP of all that it takes to check it without us, signed as it is packed."""

from __future__ import annotations

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
from signer.services.evidence_parts import CONTENT, PARTS, RECEIPT
from signer.services.evidence_readme import LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from signer.domain.evidence import RecordFacts
    from signer.domain.number import Number
    from signer.register.blobs import Blobs
    from signer.register.database import Database
    from signer.register.scope import Scope
    from signer.services.evidence_parts import Present
    from signer.services.evidence_readme import Readme
    from signer.services.receipts import Receipts
    from signer.services.verify import Verifying

MIME: Final = "application/zip"
_DAWN: Final = (1980, 1, 1, 0, 0, 0)
"""The first instant that a ZIP can name: no file of a bundle says when it was packed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paper:
    """What stands on record of a number: whose it is, its facts, and the sealed file."""

    scope: Scope
    record: RecordFacts
    pdf: bytes


class Evidence:
    """Pack evidence bundles."""

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        verifying: Verifying,
        receipts: Receipts,
        present: Present,
        readme: Readme,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._verifying = verifying
        self._receipts = receipts
        self._present = present
        self._readme = readme
        self._clock = clock

    def bundle(self, number: Number, *, manufacturer: str) -> bytes:
        """
        Return the bundle of a confirmation of this manufacturer (USCC or legal name). NotFound; Unavailable.

        Equal bytes for an equal paper under an equal trust list, but for what is signed now. All names in it are ours.
        """
        paper, asked = self._paper(number, manufacturer), Asked()
        verdict = self._verifying.file(paper.pdf, asked)
        if verdict.code is Code.UNREADABLE:  # ours is readable: the machine is too busy, and nothing false is signed
            raise Unavailable(f"{number} could not be verified in time; try again")
        receipt = self._receipts.of_file(verdict, paper.pdf, asked)
        found = {CONTENT: content.encode(paper.record.whole)} | self._present.parts(number, scope=paper.scope)
        if receipt is not None:
            found[RECEIPT] = receipt.token.encode("ascii")
        files = {f"{number}.pdf": paper.pdf} | {name: found[name] for name in PARTS.values() if name in found}
        told = {f"README.{language}.txt": self._told(language, paper, files) for language in LANGUAGES}
        return pack(told | files)

    def _paper(self, number: Number, manufacturer: str) -> _Paper:
        with self._database.read() as tx:
            scope = parties.tenant(tx, manufacturer).scope
            record = lookup.by_number(tx, number, scope=scope, at=self._clock())
            sealed = [file for file in overview.files(tx, number, scope=scope) if file.kind == "sealed"]
        if record is None or not sealed:
            raise unknown(number)
        return _Paper(scope=scope, record=record, pdf=self._blobs.get(sealed[-1].file_digest))

    def _told(self, language: str, paper: _Paper, files: dict[str, bytes]) -> bytes:
        is_test = paper.record.whole.terms.seal.seal_class is SealClass.TEST
        number, sequence = paper.record.number, self._present.sequence
        return self._readme.write(language, number, files, sequence=sequence, is_test=is_test)


def pack(files: dict[str, bytes]) -> bytes:
    """Return a ZIP of files as they are, in this order: the same files are the same bytes, whatever packs them."""
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, date_time=_DAWN)
            info.create_system, info.external_attr = 3, 0o644 << 16  # a plain file, as on every Unix
            archive.writestr(info, data)
    return target.getvalue()
