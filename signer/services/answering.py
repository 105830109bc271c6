"""What a door to the public needs: verdicts, look-ups, licence checks, receipts; over a register or over bundles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.evidence import Asked
    from signer.domain.verdict import Verdict
    from signer.services.licence import Answer, LicenceChecking
    from signer.services.on_paper import Listed
    from signer.services.receipts import Receipt
    from signer.settings import Settings


class FileVerifying(Protocol):
    """Gives the verdict on a file."""

    def file(self, data: bytes, asked: Asked | None = None) -> Verdict:
        """Return the verdict on a file; every content whatsoever has one."""

    def file_for(self, data: bytes, ask: Callable[[Listed | None], Asked]) -> Verdict:
        """Return the verdict on a file for a question that depends on the record which it names."""

    def sitting(self, files: tuple[bytes, ...]) -> FileVerifying:
        """Return this for one request about several files: what is the same for all of them is asked once."""


class RecordLookups(Protocol):
    """Answers about records without their files."""

    def by_tail(self, number: str, tail: str, *, network: str, asked: Asked | None = None) -> Verdict:
        """Answer about a number and the tail of one of its VINs."""

    def share(self, number: str, asked: Asked, *, network: str) -> Verdict:
        """Answer about those of the VINs that a number lists."""

    def covered(self, numbers: tuple[str, ...], asked: Asked, *, network: str) -> Verdict:
        """Answer whether numbers cover every VIN asked."""

    def digest(self, sha256: str) -> Verdict:
        """Answer about a file's SHA-256."""

    def code(self, text: str, asked: Asked | None = None) -> Verdict:
        """Answer about a signed code that was typed, pasted or read elsewhere."""


class ReceiptMaking(Protocol):
    """Signs what was answered, if there is a key."""

    def of_file(self, verdict: Verdict, data: bytes, asked: Asked) -> Receipt | None:
        """Return the receipt of a verdict on a file, or None."""

    def of_record(
        self,
        verdict: Verdict,
        asked: Asked,
        *,
        numbers: tuple[str, ...] = (),
        tail: str | None = None,
        sha256: str | None = None,
        code: str | None = None,
    ) -> Receipt | None:
        """Return the receipt of a look-up, or None."""

    def of_licence(self, answer: Answer) -> Receipt | None:
        """Return the receipt of a licence check, or None."""


class Answering(Protocol):
    """A house that can be asked."""

    @property
    def settings(self) -> Settings:
        """What the deployment was told."""

    @property
    def verifying(self) -> FileVerifying:
        """Verdicts on files."""

    @property
    def lookups(self) -> RecordLookups:
        """Answers about records."""

    @property
    def licence(self) -> LicenceChecking:
        """Licence checks."""

    @property
    def receipts(self) -> ReceiptMaking:
        """Receipts."""


class NoReceipts:
    """No key, no receipt."""

    def of_file(self, verdict: Verdict, data: bytes, asked: Asked) -> None:
        """Return none."""
        del verdict, data, asked

    def of_record(
        self,
        verdict: Verdict,
        asked: Asked,
        *,
        numbers: tuple[str, ...] = (),
        tail: str | None = None,
        sha256: str | None = None,
        code: str | None = None,
    ) -> None:
        """Return none."""
        del verdict, asked, numbers, tail, sha256, code

    def of_licence(self, answer: Answer) -> None:
        """Return none."""
        del answer
