"""Ask the judge about a hostile file from outside its cell, and believe nothing that is not of the form."""

from __future__ import annotations

import hashlib
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
    refused = precheck.refusal(pdf)
    if refused is not None and refused.is_final:
        return SealFacts(form=Form.UNREADABLE, reason=refused.reason, detail=refused.detail)
    taught, digest = _TAUGHT.of(trust)
    header = Task(at=at, trust_digest=digest, is_whole=is_whole, is_screened=refused is None).model_dump_json().encode()
    told = _Told()
    try:
        is_clean = told.is_clean if is_known else None
        answer = sandbox.run(_TASK, header=header, data=pdf, limits=limits, taught=taught, is_clean=is_clean)
        return told.facts(answer)
    except sandbox.ChildFailed as error:
        return SealFacts(form=Form.UNREADABLE, reason=error.reason, detail=error.detail)
    except ValidationError:
        return SealFacts(form=Form.UNREADABLE, reason="CHILD_DIED", detail="its answer has not the form agreed")


class _Told:
    """A child's answer, read once."""

    def __init__(self) -> None:
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
        return facts.form is Form.SEALED and facts.reason is None and facts.indication == "TOTAL-PASSED" and has_passed


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
