"""What can be known of codes on paper, before anyone judges them: facts, each gathered on its own."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from signer.domain.evidence import Detail, RegisterFacts, TrustFacts
from signer.domain.paper_code import PaperClaims
from signer.domain.scan import MOST_CODES, MOST_PAGES
from signer.domain.trust import TrustEntry
from signer.domain.values import Frozen, Hex256, Instant

Fault = Annotated[str, Field(pattern=r"^[a-z][a-z-]{1,40}$")]
"""Why a text is no code of ours, as `PaperCodeRefused` names it."""


class CodeFacts(Frozen):
    """
    One code: on which sheet of the file it was found (from 1), and what it says, if it is one.

    `digest` is SHA-256 of its digits, or of the whole text where `fault` says that it is no code of ours; then nothing
    else is known. `entry` is that of the key which `kid` names (hex), on the trust list as a key for codes on paper;
    `is_signed` tells that this key made the signature. `test_policy`: its certificate is of a TEST PKI.
    """

    sheet: Annotated[int, Field(ge=1, le=MOST_PAGES)]
    digest: Hex256
    fault: Fault | None = None
    detail: Detail = ""
    claims: PaperClaims | None = None
    kid: Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")] | None = None
    entry: TrustEntry | None = None
    is_signed: bool = False
    test_policy: bool = False


ToldStatus = Literal["in-force", "ended", "not-now", "replaced"]
"""`replaced`: superseded, wholly or partly, or ended for some of its vehicles."""


class StatusFacts(Frozen):
    """What a status list says of the place that a code names; `doubt` is why it says nothing, or nothing good."""

    status: ToldStatus | None = None
    doubt: Annotated[str, Field(pattern=r"^[A-Z_]{2,40}$")] | None = None
    as_of: Instant | None = None


class PaperFacts(Frozen):
    """
    Everything that `verification.paper` may look at for the codes of one number, or for one text that is no code.

    `is_whole` is false where not every page of a scan could be searched to the end. `place` is the list and the index
    where the register tells this number's standing; `status` is set where no register was asked, and a list is at hand.
    """

    at: Instant
    today: date
    codes: Annotated[tuple[CodeFacts, ...], Field(min_length=1, max_length=MOST_CODES)]
    register_: RegisterFacts
    trust: TrustFacts
    place: tuple[int, int] | None = None
    status: StatusFacts | None = None
    is_whole: bool = True

    @property
    def claims(self) -> PaperClaims | None:
        """What the first of the codes says; None if there is none of ours."""
        return next((code.claims for code in self.codes if code.claims is not None), None)

    @property
    def entry(self) -> TrustEntry | None:
        """Whose key made the first of the codes."""
        return next((code.entry for code in self.codes), None)

    @property
    def vins(self) -> tuple[str, ...]:
        """The VINs of all codes that were seen, in the order of their pages."""
        pages = sorted((code.claims.page or (1, 1), code.claims.vins) for code in self.codes if code.claims is not None)
        return tuple(dict.fromkeys(vin for _, vins in pages for vin in vins))

    @property
    def seen(self) -> tuple[int, ...]:
        """Which pages were seen, by the codes' own words."""
        return tuple(sorted({(code.claims.page or (1, 1))[0] for code in self.codes if code.claims is not None}))

    @property
    def pages(self) -> int:
        """How many pages there are, by the codes' own words; the highest where they differ."""
        return max(((code.claims.page or (1, 1))[1] for code in self.codes if code.claims is not None), default=1)

    @property
    def is_complete(self) -> bool:
        """Tell whether every page was seen."""
        return len(self.seen) == self.pages
