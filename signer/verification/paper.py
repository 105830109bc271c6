"""
The decision about codes on paper: what was signed, by whom, and how it stands. No sheet is ever proven by it.

Source: docs/explanation/how-a-verdict-is-decided.md; docs/adr/0047-reading-paper.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signer.domain.confirmation import SealClass
from signer.domain.evidence import Part, State
from signer.domain.verdict import (
    Check,
    Code,
    Colour,
    Coverage,
    Issuer,
    Paper,
    Parts,
    Verdict,
    VinCoverage,
    combine,
)
from signer.verification import checks
from signer.verification import paper_checks as asking
from signer.verification.decide import compare, lines_of, names_exporter, uncompared, vin_coverage

if TYPE_CHECKING:
    from signer.domain.evidence import Asked
    from signer.domain.paper_evidence import PaperFacts
    from signer.verification.policy import Policy

_WORST_FIRST = (Colour.RED, Colour.GREY, Colour.AMBER, Colour.BLUE, Colour.GREEN)


def decide(facts: PaperFacts, asked: Asked, policy: Policy) -> Verdict:
    """Return the verdict on the codes of one number: PAPER_GENUINE at best, and whatever overrides it."""
    done = _checks(facts, asked, policy)
    doubts = tuple(check for check in done if check.argues_for is not Code.VALID_WITH_NOTICE)
    inner = combine(doubts, default=Code.PAPER_GENUINE)
    is_test = _is_test(facts)
    code = Code.TEST_ONLY if is_test and policy.mode == "production" else inner
    parts = _parts(done)
    is_proven = parts.integrity is State.PASSED and parts.seal is State.PASSED
    record = facts.register_.record
    shown = record if record is not None and is_proven and _is_same(done) else None
    ended = next((line for line in record.lines if line.standing.is_final), None) if record else None
    return Verdict(
        code=code,
        subject="paper",
        test=is_test,
        would_be=inner if code is Code.TEST_ONLY else None,
        reason=_reason(done, inner),
        notices=tuple(check.reason for check in done if check.argues_for is Code.VALID_WITH_NOTICE and check.reason),
        number=facts.claims.number if facts.claims else None,
        issuer=_issuer(facts, done, is_test=is_test),
        checked_at=facts.at,
        policy=f"{policy.name} {policy.mode}",
        parts=parts,
        coverage=_coverage(facts, asked, is_proven=is_proven),
        confirmation=shown.confirmation if shown else None,
        lines=lines_of(shown) if shown and shown.confirmation else (),
        closed_outlets=shown.closed_outlets if shown else (),
        standing_as_of=record.as_of if record else facts.status.as_of if facts.status else None,
        ended_at=ended.ended_at if ended else None,
        end_reason=ended.reason_class if ended else None,
        successor=ended.successor if shown and ended and names_exporter(shown, asked) else None,
        paper=_paper(facts, is_shown=is_proven and not _is_contradicted(done)),
        checks=done,
        trust_list=facts.trust.sequence,
    )


def together(verdicts: tuple[Verdict, ...]) -> Verdict:
    """Return the gravest of several answers about one file, with the others beside it: each number is one by itself."""
    alone = tuple(one.model_copy(update={"others": ()}) for one in verdicts)
    first, *others = sorted(alone, key=lambda one: (_WORST_FIRST.index(one.code.colour), one.code.rank))
    return first.model_copy(update={"others": tuple(others)})


def _checks(facts: PaperFacts, asked: Asked, policy: Policy) -> tuple[Check, ...]:
    done: list[Check | None] = [asking.form(facts)]
    if facts.claims is None:
        return tuple(check for check in done if check is not None)
    done += [asking.signature(facts), asking.agreement(facts), asking.pages(facts)]
    done += [asking.signer(facts), asking.trust_list(facts), asking.times(facts, policy), asking.issuer(facts)]
    done += asking.entitled(facts)
    done += [asking.record(facts), asking.by_list(facts)]
    record = facts.register_.record
    if record is not None:
        done += [checks.standing(record, asked), checks.standing_current(record, policy, at=facts.at)]
        done += [checks.conflict(record, asked), checks.until(record, asked, today=facts.today)]
        done.append(checks.outlets(record) if _is_same(tuple(check for check in done if check)) else None)
    else:
        done.append(asking.until(facts, asked))
    done += asking.covered(facts, asked)
    return tuple(check for check in done if check is not None)


def _is_same(done: tuple[Check, ...]) -> bool:
    """Tell whether the register's record is the one that the codes speak of."""
    return all(check.state is State.PASSED for check in done if check.id == "record")


def _is_contradicted(done: tuple[Check, ...]) -> bool:
    """Tell whether the register says otherwise: then what the codes say is not shown."""
    return any(check.state is State.FAILED for check in done if check.id == "record")


def _is_test(facts: PaperFacts) -> bool:
    record = facts.register_.record
    known = record.confirmation if record else None
    is_test_seal = known is not None and known.terms.seal.seal_class is SealClass.TEST
    return facts.trust.test or is_test_seal or any(code.test_policy for code in facts.codes)


def _issuer(facts: PaperFacts, done: tuple[Check, ...], *, is_test: bool) -> Issuer | None:
    """Return whose key signed every code: from the trust list's entry, and only where it signed and may speak so."""
    needed = {"code-form", "code-signer", "code-signature", "code-issuer"}
    passed = {check.id for check in done if check.state is State.PASSED}
    if not needed <= passed or facts.entry is None or facts.entry.uscc is None:
        return None
    seal_class = SealClass.TEST if is_test else SealClass.MAKER
    return Issuer(name=facts.entry.legal_name, uscc=facts.entry.uscc, seal_class=seal_class)


def _reason(done: tuple[Check, ...], inner: Code) -> str | None:
    told = [check for check in done if check.argues_for is inner and check.reason]
    return next((check.reason for check in (*(one for one in told if one.state is State.FAILED), *told)), None)


def _parts(done: tuple[Check, ...]) -> Parts:
    def state(part: Part) -> State:
        states = {
            check.state for check in done if check.part is part and check.argues_for is not Code.VALID_WITH_NOTICE
        }
        if State.FAILED in states:
            return State.FAILED
        return State.PASSED if states == {State.PASSED} else State.UNDETERMINED

    integrity, seal = state(Part.INTEGRITY), state(Part.SEAL)
    if integrity is State.FAILED and seal is State.PASSED:
        seal = State.UNDETERMINED  # whoever's key is named: it did not sign this
    return Parts(integrity=integrity, seal=seal, standing=state(Part.STANDING))


def _coverage(facts: PaperFacts, asked: Asked, *, is_proven: bool) -> Coverage:
    """Compare with the record, where its content is known; else with codes that somebody listed signed."""
    record, claims = facts.register_.record, facts.claims
    extra = tuple(vin for vin in facts.vins if vin not in asked.vins) if asked.vins and is_proven else ()
    if record is not None and record.confirmation is not None:
        terms, applied_on = record.confirmation.terms, asked.applied_on or facts.today
        return Coverage(
            vins=tuple(vin_coverage(vin, record, applied_on) for vin in asked.vins),
            extra=extra,
            destination=compare(asked.destination, terms.destination.country.alpha2),
            exporter=compare(asked.exporter, terms.exporter.uscc),
        )
    if claims is None or not is_proven:
        return uncompared(asked)
    return Coverage(
        vins=tuple(VinCoverage(vin=vin, state="matched" if vin in facts.vins else "missing") for vin in asked.vins),
        extra=extra,
        destination=compare(asked.destination, claims.destination),
        exporter=compare(asked.exporter, claims.exporter),
    )


def _paper(facts: PaperFacts, *, is_shown: bool) -> Paper:
    """Return what the codes say, where somebody listed signed it; always which codes they were, and of which pages."""
    digests = tuple(dict.fromkeys(code.digest for code in facts.codes))
    claims = facts.claims
    if claims is None or not is_shown:
        return Paper(codes=digests)
    return Paper(
        codes=digests,
        seen=facts.seen,
        pages=facts.pages,
        issued_at=claims.issued_at,
        vins=facts.vins,
        destination=claims.destination,
        exporter=claims.exporter,
        until=claims.until,
        content_digest=claims.content_digest.hex(),
    )
