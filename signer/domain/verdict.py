"""The verdict: one code, its outcome, and every check that led to it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NoReturn

from signer.domain.confirmation import Confirmation, SealClass, Standing
from signer.domain.evidence import ClosedOutlet, Indication, Level, Part, ProvenBy, State
from signer.domain.log_facts import LogHead
from signer.domain.number import Number
from signer.domain.parties import Uscc
from signer.domain.values import Day, Frozen, Hex256, Instant
from signer.domain.vehicle import WindowState

if TYPE_CHECKING:
    from collections.abc import Iterable


class Outcome(StrEnum):
    """What a client branches on; closed for ever, anything else counts as `fail`."""

    PASS = "pass"  # noqa: S105 (a word, not a password)
    REVIEW = "review"
    FAIL = "fail"
    NONE = "none"


class Colour(StrEnum):
    """What a person sees, always beside an icon and words."""

    GREY = "grey"
    RED = "red"
    AMBER = "amber"
    BLUE = "blue"
    GREEN = "green"


class Code(StrEnum):
    """The answers, in order of precedence: the first that any check argues for wins."""

    UNREADABLE = "UNREADABLE"
    NOT_A_CONFIRMATION = "NOT_A_CONFIRMATION"
    TEST_ONLY = "TEST_ONLY"
    UNSEALED = "UNSEALED"
    ALTERED = "ALTERED"
    CODE_INVALID = "CODE_INVALID"
    UNKNOWN_SEAL = "UNKNOWN_SEAL"
    SEAL_REVOKED = "SEAL_REVOKED"
    NOT_REGISTERED = "NOT_REGISTERED"
    NOT_ISSUED = "NOT_ISSUED"
    NOT_ON_RECORD = "NOT_ON_RECORD"
    WITHDRAWN = "WITHDRAWN"
    NOT_COVERED = "NOT_COVERED"
    INDETERMINATE = "INDETERMINATE"
    SUPERSEDED = "SUPERSEDED"
    PARTLY_SUPERSEDED = "PARTLY_SUPERSEDED"
    PAST_END = "PAST_END"
    ON_RECORD = "ON_RECORD"
    PAPER_GENUINE = "PAPER_GENUINE"
    VALID_WITH_NOTICE = "VALID_WITH_NOTICE"
    VALID = "VALID"
    COVERED = "COVERED"
    OFFICIAL_COPY = "OFFICIAL_COPY"

    @property
    def colour(self) -> Colour:
        """The colour of the code."""
        return _COLOURS[self]

    @property
    def outcome(self) -> Outcome:
        """The outcome of the code: green pass, amber and blue review, red fail, grey none."""
        return _OUTCOMES[self.colour]

    @property
    def rank(self) -> int:
        """The place in the order of precedence, 0 the highest."""
        return _RANKS[self]


_COLOURS = {
    **dict.fromkeys(Code, Colour.RED),
    **dict.fromkeys((Code.UNREADABLE, Code.NOT_A_CONFIRMATION, Code.TEST_ONLY), Colour.GREY),
    **dict.fromkeys((Code.INDETERMINATE, Code.SUPERSEDED, Code.PARTLY_SUPERSEDED, Code.PAST_END), Colour.AMBER),
    **dict.fromkeys((Code.ON_RECORD, Code.PAPER_GENUINE), Colour.BLUE),
    **dict.fromkeys((Code.VALID_WITH_NOTICE, Code.VALID, Code.COVERED, Code.OFFICIAL_COPY), Colour.GREEN),
}
_OUTCOMES = {
    Colour.GREY: Outcome.NONE,
    Colour.RED: Outcome.FAIL,
    Colour.AMBER: Outcome.REVIEW,
    Colour.BLUE: Outcome.REVIEW,
    Colour.GREEN: Outcome.PASS,
}
_RANKS = {code: rank for rank, code in enumerate(Code)}
EXITS = {Colour.GREEN: 0, Colour.RED: 1, Colour.AMBER: 2, Colour.GREY: 3, Colour.BLUE: 4}
"""Exit codes of `signer verify`, by colour."""


class Check(Frozen):
    """
    One question and its answer.

    `argues_for` is the code that a check which did not pass argues for; a passed one argues for none.
    `reason` is a stable ASCII word (`SUSPENDED`, `NO_TIMESTAMP`); `detail` names the case in technical English.
    """

    id: str
    part: Part
    state: State
    argues_for: Code | None = None
    reason: str | None = None
    sub_indication: str | None = None
    detail: str = ""


def combine(checks: Iterable[Check], *, default: Code) -> Code:
    """Return the code of highest precedence among the default and those argued for. Monotone in its checks."""
    argued = (check.argues_for for check in checks if check.argues_for is not None)
    return min((default, *argued), key=lambda code: code.rank)


class Parts(Frozen):
    """The three answers of the page."""

    integrity: State
    seal: State
    standing: State


class Issuer(Frozen):
    """Whose seal it is: from the trust list's entry, never from the file."""

    name: str
    uscc: Uscc
    seal_class: SealClass


class VinWindow(Frozen):
    """The 180-day window of one vehicle, at the asked application date."""

    n: int
    state: WindowState
    through: Day
    free_from: Day


LineState = Literal["matched", "missing", "superseded", "withdrawn", "conflict"]


class VinCoverage(Frozen):
    """What the record says of one VIN that the asker named."""

    vin: str
    state: LineState
    window: VinWindow | None = None
    ended_at: Instant | None = None


Comparison = Literal["equal", "different", "not-asked", "unknown"]


class Coverage(Frozen):
    """The asker's values against the record's; `extra` are lines of the record that were not asked for."""

    vins: tuple[VinCoverage, ...] = ()
    extra: tuple[str, ...] = ()
    destination: Comparison = "not-asked"
    exporter: Comparison = "not-asked"


class SealReport(Frozen):
    """EN 319 102-1's words: they speak of the cryptography only."""

    indication: Indication
    sub_indication: str | None = None
    level: Level | None = None


class Line(Frozen):
    """The standing of one line of the record, for those who hold the file."""

    vin: str
    standing: Standing
    ended_at: Instant | None = None


class Paper(Frozen):
    """
    The codes on paper that were read: SHA-256 of each one's digits, and what they say if somebody listed signed it.

    `seen` are the pages whose codes were read, of `pages`; `vins` are those of the pages seen.
    """

    codes: tuple[Hex256, ...]
    seen: tuple[int, ...] = ()
    pages: int | None = None
    issued_at: Instant | None = None
    vins: tuple[str, ...] = ()
    destination: str | None = None
    exporter: Uscc | None = None
    until: Day | None = None
    content_digest: Hex256 | None = None


class Verdict(Frozen):
    """
    Our whole answer about one subject.

    `paper` is what was read, where the subject is paper; `others` are the answers about other numbers in one file.
    `standing_as_of` is set when what it says of the standing is older than the answer: it tells no later word.
    `log_head` is the newest checkpoint of the log that was asked; receipts tell it.
    Has no truth value: a verdict is not a boolean, and whoever writes `if verdict:` is told so.
    """

    code: Code
    subject: Literal["file", "paper", "record", "digest"]
    test: bool
    would_be: Code | None = None
    reason: str | None = None
    notices: tuple[str, ...] = ()
    number: Number | None = None
    issuer: Issuer | None = None
    sealed_at: Instant | None = None
    proven_at: Instant | None = None
    proven_by: ProvenBy | None = None
    checked_at: Instant
    policy: str
    parts: Parts
    coverage: Coverage
    seal_report: SealReport | None = None
    confirmation: Confirmation | None = None
    lines: tuple[Line, ...] = ()
    closed_outlets: tuple[ClosedOutlet, ...] = ()
    standing_as_of: Instant | None = None
    ended_at: Instant | None = None
    end_reason: str | None = None
    successor: Number | None = None
    paper: Paper | None = None
    others: tuple[Verdict, ...] = ()
    checks: tuple[Check, ...]
    trust_list: int | None = None
    log_head: LogHead | None = None

    @property
    def outcome(self) -> Outcome:
        """The outcome of the code."""
        return self.code.outcome

    def exit_code(self, *, allow_test: bool) -> int:
        """Return the exit code of the command line; a green TEST answer is 0 only when TEST is allowed."""
        code = EXITS[self.code.colour]
        return EXITS[Colour.GREY] if code == 0 and self.test and not allow_test else code

    def __bool__(self) -> NoReturn:
        raise TypeError("a verdict has no truth value; look at its code or outcome")
