"""
The checks of codes on paper: one function a question, each from facts to an answer.

A code has no trusted time: what it says of its own, `issued_at`, was said by whoever had the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain import paper_code
from signer.domain.confirmation import Standing
from signer.domain.evidence import Part
from signer.domain.trust import SealState
from signer.domain.values import format_instant
from signer.domain.verdict import Code
from signer.verification.checks import failed, noted, open_, passed

if TYPE_CHECKING:
    from signer.domain.evidence import Asked, RecordFacts
    from signer.domain.paper_code import PaperClaims
    from signer.domain.paper_evidence import CodeFacts, PaperFacts
    from signer.domain.trust import TrustEntry
    from signer.domain.verdict import Check
    from signer.verification.policy import Policy

_MOST_DETAIL = 400


def form(facts: PaperFacts) -> Check:
    """Is every text a code of ours, in the one way that we write it?"""
    faulty = next((code for code in facts.codes if code.fault is not None), None)
    if faulty is None:
        return passed("code-form", Part.INTEGRITY)
    detail = f"{faulty.fault}: {faulty.detail}"[:_MOST_DETAIL]
    return failed("code-form", Part.INTEGRITY, Code.CODE_INVALID, reason="CODE_FORM", detail=detail)


def signer(facts: PaperFacts) -> Check:
    """Is every code's key on the trust list, as a key for codes on paper?"""
    unlisted = next((code for code in facts.codes if code.entry is None), None)
    if unlisted is None:
        return passed("code-signer", Part.SEAL)
    kid = f"key {unlisted.kid}"
    if not is_authoritative(facts, unlisted):
        return open_("code-signer", Part.SEAL, "TRUST_LIST_OLDER_THAN_SEAL", kid)
    return failed("code-signer", Part.SEAL, Code.CODE_INVALID, reason="CODE_SIGNER", detail=kid)


def is_authoritative(facts: PaperFacts, code: CodeFacts) -> bool:
    """
    Tell whether the list may say that it does not know a key: it is in time, and no older than the code says it is.

    Where the register was asked the list is the one that it signs by, and always new enough.
    """
    is_live = facts.register_.source == "register"
    is_newer = is_live or code.claims is None or facts.trust.issued >= code.claims.issued_at
    return facts.at < facts.trust.expires and is_newer


def trust_list(facts: PaperFacts) -> Check:
    """Is the trust list current?"""
    told = f"list {facts.trust.sequence}"
    if facts.at >= facts.trust.expires:
        detail = f"{told} expired {facts.trust.expires:%Y-%m-%d}"
        return open_("trust-list", Part.SEAL, "TRUST_LIST_STALE", detail)
    return passed("trust-list", Part.SEAL, told)


def signature(facts: PaperFacts) -> Check | None:
    """Did the listed key sign every code? Only asked where there is one."""
    listed = tuple(code for code in facts.codes if code.entry is not None)
    if not listed:
        return None
    if all(code.is_signed for code in listed):
        return passed("code-signature", Part.INTEGRITY)
    return failed("code-signature", Part.INTEGRITY, Code.CODE_INVALID, reason="CODE_SIGNATURE")


def issuer(facts: PaperFacts) -> Check | None:
    """Is the key that of the manufacturer whom the code names?"""
    listed = tuple(code for code in facts.codes if code.entry is not None and code.claims is not None)
    if not listed:
        return None
    other = next(
        (code for code in listed if code.entry and code.claims and code.entry.uscc != code.claims.issuer), None
    )
    if other is None or other.entry is None or other.claims is None:
        return passed("code-issuer", Part.SEAL)
    detail = f"the key of {other.entry.uscc}, the code of {other.claims.issuer}"
    return failed("code-issuer", Part.SEAL, Code.UNKNOWN_SEAL, reason="OTHER_MANUFACTURER", detail=detail)


def agreement(facts: PaperFacts) -> Check | None:
    """Do the codes of several pages say the same of all that they share? Only asked of more than one."""
    said = tuple(code.claims for code in facts.codes if code.claims is not None)
    if len(said) < 2:
        return None
    shared = {claims.model_copy(update={"vins": said[0].vins, "page": None}) for claims in said}
    by_page = {(claims.page or (1, 1)) for claims in said}
    vins = tuple(vin for claims in said for vin in claims.vins)
    is_one = len(shared) == 1 and len(by_page) == len(said) and len(set(vins)) == len(vins)
    if is_one and len({of for _, of in by_page}) == 1:
        return passed("code-agreement", Part.INTEGRITY)
    return open_("code-agreement", Part.INTEGRITY, "CODES_DIFFER")


def times(facts: PaperFacts, policy: Policy) -> Check:
    """Does the time in the code agree with our clock?"""
    latest = facts.at + policy.clock_skew
    if any(code.claims is not None and code.claims.issued_at > latest for code in facts.codes):
        return open_("times", Part.SEAL, "TIME_IN_FUTURE", "a time in the code lies ahead of this clock")
    return passed("times", Part.SEAL)


def entitled(facts: PaperFacts) -> tuple[Check, ...]:
    """Was each code's key entitled when the code says it was made, and does it still count?"""
    found = tuple(_entitled(code.entry, code.claims, facts) for code in facts.codes if code.entry and code.claims)
    return tuple(dict.fromkeys(found))


def _entitled(entry: TrustEntry, claims: PaperClaims, facts: PaperFacts) -> Check:
    if entry.state is SealState.REVOKED:
        return _revoked(entry, facts)
    at = claims.issued_at
    told = f"entitled from {format_instant(entry.from_at)}; the code says {format_instant(at)}"
    if not entry.is_entitled(at):
        return failed("code-entitled", Part.SEAL, Code.UNKNOWN_SEAL, reason="NOT_ENTITLED_THEN", detail=told)
    if entry.state is SealState.SUSPENDED:
        return open_("code-entitled", Part.SEAL, "SEAL_SUSPENDED", _since(entry))
    if entry.state is SealState.VERIFY_ONLY:
        told = f"verify-only{_since(entry)}; the code says {format_instant(at)}"
        if entry.state_since is None or at >= entry.state_since:
            return failed("code-entitled", Part.SEAL, Code.UNKNOWN_SEAL, reason="SEALED_AFTER_VERIFY_ONLY", detail=told)
        return noted("code-entitled", Part.SEAL, "SEAL_VERIFY_ONLY", told)
    return passed("code-entitled", Part.SEAL)


def _since(entry: TrustEntry) -> str:
    return f" since {format_instant(entry.state_since)}" if entry.state_since else ""


def _revoked(entry: TrustEntry, facts: PaperFacts) -> Check:
    """
    Judge codes of a revoked key: whoever has it writes any time, so that only a register proves that one is older.

    That takes every field of the codes: a bundle holds no VINs, and a digest that was copied proves nothing of them.
    """
    cut = entry.compromised_from or entry.revoked_at
    when = f" at {format_instant(entry.revoked_at)}" if entry.revoked_at else ""
    because = f" ({entry.reason})" if entry.reason else ""
    told = f"revoked{when}{because}"
    record = facts.register_.record
    if record is None or record.confirmation is None or record.recorded_at is None or differing(facts, record):
        return open_("code-entitled", Part.SEAL, "CODE_KEY_REVOKED", told)
    if cut is not None and record.recorded_at < cut:
        return noted("code-entitled", Part.SEAL, "SEAL_REVOKED_LATER", told)
    return failed("code-entitled", Part.SEAL, Code.SEAL_REVOKED, reason="SEAL_REVOKED", detail=told)


def differing(facts: PaperFacts, record: RecordFacts) -> tuple[str, ...]:
    """Return the names of the fields in which the codes and the record differ, as far as the record is known."""
    said = tuple(code.claims for code in facts.codes if code.claims is not None)
    if record.confirmation is None:
        pairs = (
            ("content_digest", {claims.content_digest.hex() for claims in said}, record.content_digest),
            ("issued_at", {claims.issued_at for claims in said}, record.issued_at),
            ("until", {claims.until for claims in said}, record.until),
        )
        return tuple(name for name, found, known in pairs if found != {known})
    pages = paper_code.of(record.confirmation, content_digest=bytes.fromhex(record.content_digest))
    return tuple(dict.fromkeys(name for claims in said for name in _differing(claims, pages, facts.place)))


def _differing(claims: PaperClaims, pages: tuple[PaperClaims, ...], place: tuple[int, int] | None) -> tuple[str, ...]:
    number = (claims.page or (1, 1))[0]
    page = pages[number - 1] if number <= len(pages) else None
    if page is None:
        return ("page",)
    wrong = [name for name in PAPER_FIELDS if getattr(claims, name) != getattr(page, name)]
    is_misplaced = claims.status is not None and claims.status != place
    return (*wrong, "status") if is_misplaced else tuple(wrong)


PAPER_FIELDS = (
    "issuer",
    "number",
    "issued_at",
    "vins",
    "destination",
    "content_digest",
    "exporter",
    "page",
    "until",
)


def record(facts: PaperFacts) -> Check:
    """Does the register hold this confirmation, and does every field of every code say the same?"""
    register, found = facts.register_, facts.register_.record
    if found is None:
        return _unknown(facts)
    if found.standing is Standing.PENDING:
        return open_("record", Part.STANDING, "TRY_LATER")
    if found.standing is Standing.ABANDONED:
        return failed("record", Part.STANDING, Code.NOT_ISSUED, reason="ABANDONED")
    if wrong := differing(facts, found):
        detail = f"not as on record: {', '.join(wrong)}"
        return failed("record", Part.STANDING, Code.NOT_REGISTERED, reason="CODE_DIFFERS", detail=detail)
    return passed("record", Part.STANDING, "digest, times and last day" if register.source == "bundle" else "")


def _unknown(facts: PaperFacts) -> Check:
    """Answer for a number without a record: a register's silence tells, an offline bundle's does not."""
    register, status = facts.register_, facts.status
    if not register.is_complete:
        return open_("record", Part.STANDING, "REGISTER_INCOMPLETE")
    if register.source == "register":
        return failed("record", Part.STANDING, Code.NOT_REGISTERED, reason="NUMBER_UNKNOWN")
    if status is None or status.status is None:
        reason = status.doubt if status and status.doubt else "NOT_IN_BUNDLE_YET"
        return open_("record", Part.STANDING, reason)
    return noted("record", Part.STANDING, "STANDING_AS_OF", "a status list alone")


def by_list(facts: PaperFacts) -> Check | None:
    """What does a status list say of its place? Only asked where one is at hand and no register."""
    status = facts.status
    if status is None or status.status is None:
        return None
    told = f"as of {format_instant(status.as_of)}" if status.as_of else ""
    if status.status == "ended":
        return failed("status-list", Part.STANDING, Code.WITHDRAWN, reason="ENDED_BY_LIST", detail=told)
    if status.status == "not-now":
        return open_("status-list", Part.STANDING, "NOT_IN_FORCE_NOW", told)
    if status.status == "replaced":
        return open_("status-list", Part.STANDING, "REPLACED_BY_LIST", told)
    if status.doubt:
        return open_("status-list", Part.STANDING, status.doubt, told)
    return noted("status-list", Part.STANDING, "STANDING_AS_OF", told)


def until(facts: PaperFacts, asked: Asked) -> Check | None:
    """Is the application within the last day that the code names? Only asked where no record is known."""
    end = facts.claims.until if facts.claims else None
    if end is None:
        return None
    if (asked.applied_on or facts.today) > end:
        return failed("until", Part.STANDING, Code.PAST_END, reason="PAST_END", detail=end.isoformat())
    return passed("until", Part.STANDING)


def pages(facts: PaperFacts) -> Check | None:
    """Was every page of the confirmation handed in? Only asked where there are several."""
    if facts.pages == 1:
        return None
    told = f"{', '.join(map(str, facts.seen))} of {facts.pages}"
    if facts.is_complete:
        return passed("code-pages", Part.INTEGRITY, told)
    return noted("code-pages", Part.INTEGRITY, "PAGE_MISSING", told)


def covered(facts: PaperFacts, asked: Asked) -> tuple[Check, ...]:
    """Is it for what was asked? A VIN counts if a page that was seen lists it; one on a page unseen is a doubt."""
    claims = facts.claims
    if claims is None:
        return ()
    found = []
    if asked.vins:
        found.append(_vins(facts, asked))
    pairs = (
        ("destination", asked.destination, claims.destination, "OTHER_COUNTRY"),
        ("exporter", asked.exporter, claims.exporter, "OTHER_EXPORTER"),
    )
    for name, wanted, said, reason in pairs:
        if wanted and wanted == said:
            found.append(passed(f"coverage-{name}", Part.STANDING))
        elif wanted:
            found.append(failed(f"coverage-{name}", Part.STANDING, Code.NOT_COVERED, reason=reason))
    return tuple(found)


def _vins(facts: PaperFacts, asked: Asked) -> Check:
    unseen = tuple(vin for vin in asked.vins if vin not in facts.vins)
    known = facts.register_.record
    listed = set(known.vins) if known is not None else set()
    if not unseen:
        return passed("coverage-vins", Part.STANDING)
    is_certain = facts.is_complete or bool(listed and any(vin not in listed for vin in unseen))
    if is_certain:
        return failed("coverage-vins", Part.STANDING, Code.NOT_COVERED, reason="VIN_NOT_LISTED")
    return open_("coverage-vins", Part.STANDING, "PAGE_MISSING", f"{len(unseen)} are on no page that was seen")
