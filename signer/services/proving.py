"""What a confirmation carries beside its content, so that others need not believe us: signed codes, the log's proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from signer.document.page import Attachment, Extras
from signer.domain.log_leaf import LeafType, encode_proof
from signer.errors import LogUnavailable
from signer.seal.attachments import PROOF
from signer.services.logbook import SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from signer.domain.log_leaf import LogProof
    from signer.domain.number import Number
    from signer.register.parties import Tenant
    from signer.services.logbook import LogBook
    from signer.services.paper_seal import PaperSeal

logger = structlog.get_logger()
_PROOF_WORDS = "Transparency log: proof of the intent to issue (signer.log-proof/1)"


class Proving:
    """Make what a pending number's page carries (step 6), outside any transaction."""

    def __init__(
        self, *, paper: PaperSeal, logbook: LogBook, are_listed: Callable[[LogProof], bool], needs_proof: bool
    ) -> None:
        self._paper = paper
        self._logbook = logbook
        self._are_listed = are_listed
        self._needs_proof = needs_proof

    def refuse_unready(self, tenant: Tenant) -> None:
        """
        Refuse, before a number is used up, if what a deployment demands is lacking: a key for paper, the log.

        Raises KeyUnavailable, and what `LogBook.refuse_unready` raises.
        """
        self._paper.refuse_unready(tenant.manufacturer)
        if self._needs_proof:
            self._logbook.refuse_unready()

    def extras(self, number: Number, tenant: Tenant) -> Extras:
        """
        Return the signed codes of a pending number, and the proof that the log holds what is about to be sealed.

        Each is left out where it is not to be had in time, unless the settings demand it: then they raise. A proof by a
        log that the trust list does not know (it calls it otherwise, or not at all) is none.
        """
        codes = self._paper.codes(number, tenant)
        proof = self._logbook.wait_for(number, LeafType.INTENT)
        if proof is not None and not self._are_listed(proof):
            logger.warning("log.not-listed", number=number)
            proof = None
        if proof is None and self._needs_proof:
            raise LogUnavailable(f"the log did not prove within {SECONDS:g} s that it holds {number}")
        kept = () if proof is None else (Attachment(name=PROOF, data=encode_proof(proof), description=_PROOF_WORDS),)
        return Extras(signed_codes=codes, attachments=kept)

    def recorded(self) -> None:
        """Let the log know that something was recorded, so that it need not be asked for."""
        self._logbook.soon()
