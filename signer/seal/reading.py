"""Ask the judge about a hostile file from outside its cell, and believe nothing that is not of the form."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from signer import sandbox
from signer.domain.evidence import Form, SealFacts, State
from signer.seal import precheck
from signer.seal.task import Task

if TYPE_CHECKING:
    from datetime import datetime

    from signer.domain.trust import TrustList

LIMITS: Final = sandbox.Limits()
_TASK: Final = "signer.seal.validate:child"


def facts_of(
    pdf: bytes,
    trust: TrustList,
    at: datetime,
    *,
    is_known: bool = False,
    is_whole: bool = False,
    limits: sandbox.Limits = LIMITS,
) -> SealFacts:
    """
    Return what a child process finds of a PDF's seal; a child that gives no answer is a fact too, never an error.

    `trust` is a list that was verified here; the child is born with it, and takes it on its parent's word. `is_known`
    tells that the file is, byte for byte, one that its issuer has on record: no stranger's bytes are in it, so that a
    child may answer for several such files, as long as each answer is clean. `is_whole` asks for the full path, which
    else answers only for what the fast one does not know.
    """
    guard = _Guard(pdf)
    if not is_known and guard.refused is not None and guard.refused.is_final:
        return SealFacts(form=Form.UNREADABLE, reason=guard.refused.reason, detail=guard.refused.detail)
    taught, digest = _TAUGHT.of(trust)
    is_screened = is_known or guard.refused is None
    header = Task(at=at, trust_digest=digest, is_whole=is_whole, is_screened=is_screened).model_dump_json().encode()
    told = _Told(guard)
    is_clean, look = (told.is_clean, guard.look) if is_known else (None, None)
    try:
        how = {"header": header, "data": pdf, "taught": taught}
        answer = sandbox.run(_TASK, **how, limits=limits, is_clean=is_clean, meanwhile=look)
        if guard.refused is not None and is_known:
            return facts_of(pdf, trust, at, is_whole=is_whole, limits=limits)
        return told.facts(answer)
    except sandbox.ChildFailed as error:
        return SealFacts(form=Form.UNREADABLE, reason=error.reason, detail=error.detail)
    except ValidationError:
        return SealFacts(form=Form.UNREADABLE, reason="CHILD_DIED", detail="its answer has not the form agreed")


class _Guard:
    """What `precheck` says of a file, asked once: of a known file while a child reads it, of any other before."""

    def __init__(self, pdf: bytes) -> None:
        self._pdf = pdf

    @cached_property
    def refused(self) -> precheck.Refusal | None:
        """Why the file may not be parsed, or None."""
        return precheck.refusal(self._pdf)

    def look(self) -> None:
        """Ask now."""
        _ = self.refused


class _Told:
    """A child's answer, read once."""

    def __init__(self, guard: _Guard) -> None:
        self._guard = guard
        self._read: tuple[bytes, SealFacts] | None = None

    def facts(self, answer: bytes) -> SealFacts:
        """Return an answer as facts. Raises ValidationError if it has not the form agreed."""
        if self._read is None or self._read[0] is not answer:
            self._read = answer, SealFacts.model_validate_json(answer)
        return self._read[1]

    def is_clean(self, answer: bytes) -> bool:
        """Tell whether an answer has the form agreed, and nothing in it failed or was left open."""
        try:
            facts = self.facts(answer)
        except ValidationError:
            return False
        has_passed = all(finding.state is State.PASSED for finding in facts.findings)
        is_good = facts.form is Form.SEALED and facts.reason is None and facts.indication == "TOTAL-PASSED"
        return is_good and has_passed and self._guard.refused is None


class _Taught:
    """The trust list that was used last, as the judge is taught it, with its digest; known by being the very same."""

    def __init__(self) -> None:
        self._last: tuple[TrustList, bytes, str] | None = None

    def of(self, trust: TrustList) -> tuple[bytes, str]:
        """Return a list's JSON and the SHA-256 of that, in hex."""
        last = self._last
        if last is None or last[0] is not trust:
            data = trust.model_dump_json(exclude_none=True).encode()
            self._last = last = trust, data, hashlib.sha256(data).hexdigest()
        return last[1:]


_TAUGHT: Final = _Taught()
