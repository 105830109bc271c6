"""The acceptance rules 6 and 9, sentence by sentence, where no other test holds them already."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import world as worlds
from world import KAZAKHSTAN, World, sample

from signer import wiring
from signer.domain.evidence import Asked, Facts, SealFacts, State, TimestampFacts
from signer.domain.log_facts import NO_LOG
from signer.domain.trust import SealState
from signer.domain.verdict import Code, Colour
from signer.seal.findings import Id
from signer.seal.validate import validate
from signer.verification.decide import decide
from signer.verification.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from signer.domain.trust import TrustList
    from signer.domain.verdict import Verdict

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def issued(template_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, bytes]]:
    """A working service and one file that it issued; no test here changes either."""
    made = World(worlds.copy(template_folder, tmp_path_factory.mktemp("rules") / "data"))
    yield made, made.issue(sample(KAZAKHSTAN)).pdf
    made.services.database.close()


@pytest.fixture(scope="module")
def valid(issued: tuple[World, bytes]) -> Facts:
    world, pdf = issued
    return world.services.verifying.gather(pdf).model_copy(update={"log": NO_LOG})  # the log proves a time too


def verdict(facts: Facts) -> Verdict:
    return decide(facts, Asked(), Policy(mode="test"))


def changed(facts: Facts, which: str, **changes: object) -> Facts:
    findings = tuple(found.model_copy(update=changes if found.id == which else {}) for found in facts.seal.findings)
    return facts.model_copy(update={"seal": facts.seal.model_copy(update={"findings": findings})})


def proven(facts: Facts, *, stamp: datetime | None, recorded: datetime | None, **through: Any) -> Facts:
    """The facts as they are if a timestamp, or the register, proves these times, or nothing."""
    token = None
    if stamp is not None:
        assert facts.seal.timestamp is not None
        token = TimestampFacts(at=stamp, certificate_digest=facts.seal.timestamp.certificate_digest, **through)
    record = facts.register_.record
    assert record is not None
    register = facts.register_.model_copy(update={"record": record.model_copy(update={"recorded_at": recorded})})
    seal = facts.seal.model_copy(update={"timestamp": token})
    return facts.model_copy(update={"seal": seal, "register_": register})


# What the page on EN 319 102-1 says of each check of the seal


def _page() -> dict[str, tuple[set[str], set[str]]]:
    """Return check -> the codes for which it argues when it failed, and when it is open, as the page has them."""
    text = (worlds.ROOT / "docs" / "reference" / "en-319-102-1.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split(" | ") for line in text.partition("## Checks\n")[2].splitlines() if line[:3] == "| `"]
    of_checks = [row for row in rows if len(row) == 5 and row[0].strip()[1].islower()]
    return {
        row[0].strip().strip("`"): tuple(set(re.findall(r"`([A-Z_]+)`", cell)) for cell in row[3:])  # type: ignore[misc]
        for row in of_checks
    }


@pytest.mark.parametrize("which", [one.value for one in Id])
def test_a_check_argues_for_the_codes_that_the_page_names(valid: Facts, which: str) -> None:
    if_failed, if_open = _page()[which]
    told = {}
    for state in (State.FAILED, State.UNDETERMINED):
        facts = changed(valid, which, state=state)
        sources = [facts, facts.model_copy(update={"register_": facts.register_.model_copy(update={"source": "none"})})]
        found = [check for one in sources for check in verdict(one).checks if check.id == which]
        told[state] = {check.argues_for.value for check in found if check.argues_for is not None}
    assert told[State.UNDETERMINED] == if_open
    assert told[State.FAILED] == if_failed or not if_failed


# Rule 3: absence is authoritative


def test_a_list_older_than_the_file_does_not_call_its_seal_unknown(valid: Facts) -> None:
    unlisted = changed(valid, "signer-listed", state=State.FAILED, sub_indication="NO_CERTIFICATE_CHAIN_FOUND")
    made_at = valid.at - HOUR
    found = {}
    for name, issued in (("older", made_at - HOUR), ("as new", made_at), ("newer", made_at + HOUR / 2)):
        trust = valid.trust.model_copy(update={"entry": None, "issued": issued})
        facts = proven(unlisted.model_copy(update={"trust": trust}), stamp=made_at, recorded=made_at)
        found[name] = (verdict(facts).code, verdict(facts).reason)
    assert found == {
        "older": (Code.INDETERMINATE, "TRUST_LIST_OLDER_THAN_SEAL"),
        "as new": (Code.UNKNOWN_SEAL, "SIGNER_LISTED"),
        "newer": (Code.UNKNOWN_SEAL, "SIGNER_LISTED"),
    }


# Rule 6: the register has these very bytes


def test_valid_takes_the_cryptography_and_the_register(valid: Facts) -> None:
    assert verdict(valid).code is Code.VALID
    for which in ("digest", "signature", "chain", "signer-listed"):
        assert verdict(changed(valid, which, state=State.FAILED)).code.colour is Colour.RED
    other = valid.file.model_copy(update={"sealed_digest": "00" * 32})
    assert verdict(valid.model_copy(update={"file": other})).code is Code.NOT_REGISTERED
    content = valid.content.model_copy(update={"content_digest": "00" * 32})
    assert verdict(valid.model_copy(update={"content": content})).code is Code.NOT_REGISTERED


def test_a_child_that_lies_makes_nothing_valid(issued: tuple[World, bytes]) -> None:
    """A judge that was taken over says of every file what it said of the genuine one."""
    world, pdf = issued
    honest = validate(pdf, world.services.trust.current(world.at), world.at)
    lying = wiring.wire(world.settings, clock=lambda: world.at, judge=lambda *_, **__: honest)
    try:
        assert lying.verifying.file(pdf).code is Code.VALID
        forged = (
            pdf.replace(b"/Type", b"/Tyqe", 1),
            pdf[:-1] + b"x",
            b"%PDF-1.7\n".ljust(len(pdf)),
            pdf[: len(pdf) // 2],
        )
        for data in forged:
            assert lying.verifying.file(data).code is Code.NOT_REGISTERED
    finally:
        lying.database.close()


def test_no_answer_is_kept_from_one_question_to_the_next(issued: tuple[World, bytes]) -> None:
    world, pdf = issued
    asked: list[bytes] = []

    def judge(data: bytes, trust: TrustList, at: datetime, *, is_known: bool = False) -> SealFacts:
        del is_known
        asked.append(data)
        return validate(data, trust, at)

    watched = wiring.wire(world.settings, clock=lambda: world.at, judge=judge)
    try:
        for _ in range(3):
            assert watched.verifying.file(pdf).code is Code.VALID
    finally:
        watched.database.close()
    assert asked == [pdf] * 3


# Rule 8: what is shown


def test_what_is_shown_is_the_registers_record_and_only_for_its_own_bytes(valid: Facts) -> None:
    record = valid.register_.record
    assert record is not None
    assert verdict(valid).confirmation is record.confirmation
    for which in ("digest", "chain"):
        assert verdict(changed(valid, which, state=State.FAILED)).confirmation is None


def test_an_unknown_schema_is_open_and_another_spelling_is_altered(valid: Facts) -> None:
    codes = {}
    for fault in ("schema-unknown", "not-canonical", "malformed", "absent"):
        content = valid.content.model_copy(update={"confirmation": None, "content_digest": None, "fault": fault})
        # the record itself speaks too: of bytes without this content it holds nothing
        facts = valid.model_copy(update={"content": content})
        found = next(check for check in verdict(facts).checks if check.id == "content-form")
        codes[fault] = (found.argues_for, found.reason)
    assert codes == {
        "schema-unknown": (Code.INDETERMINATE, "SCHEMA_UNKNOWN"),
        "not-canonical": (Code.ALTERED, "NOT_CANONICAL"),
        "malformed": (Code.ALTERED, "MALFORMED"),
        "absent": (Code.ALTERED, "ABSENT"),
    }


# Rule 9: time first


def test_proven_at_is_the_earliest_proof_and_says_whose(valid: Facts) -> None:
    early, late = valid.at - 2 * HOUR, valid.at - HOUR
    told = {
        "timestamp": proven(valid, stamp=early, recorded=late),
        "register": proven(valid, stamp=late, recorded=early),
        "archive": proven(valid, stamp=early, recorded=late, through="archive"),
    }
    for by, facts in told.items():
        found = verdict(facts)
        assert (found.proven_at, found.proven_by) == (early, by)
    assert verdict(proven(valid, stamp=None, recorded=late)).proven_at == late
    nothing = verdict(proven(valid, stamp=None, recorded=None))
    assert (nothing.proven_at, nothing.proven_by) == (None, None)


def test_the_register_proves_the_time_of_its_own_bytes_only(valid: Facts) -> None:
    facts = proven(valid, stamp=None, recorded=valid.at - HOUR)
    other = facts.model_copy(update={"file": facts.file.model_copy(update={"sealed_digest": "00" * 32})})
    assert (facts.proven_at, other.proven_at) == (valid.at - HOUR, None)


def test_what_the_sealer_wrote_proves_nothing(valid: Facts) -> None:
    facts = proven(valid, stamp=None, recorded=None)
    ancient = facts.seal.model_copy(update={"claimed_at": datetime(2020, 1, 1, tzinfo=UTC)})
    facts = facts.model_copy(update={"seal": ancient})
    assert facts.proven_at is None
    entry = valid.trust.entry
    assert entry is not None
    revoked = entry.model_copy(update={"state": SealState.REVOKED, "revoked_at": valid.at - HOUR})
    facts = facts.model_copy(update={"trust": facts.trust.model_copy(update={"entry": revoked})})
    assert verdict(facts).code is Code.SEAL_REVOKED


STAMPS = RECORDS = (None, -3, -1)
"""Hours from now: no proof, one before what happened two hours ago, one after it."""


def _revoked_on_the_list(facts: Facts, at: datetime) -> Facts:
    assert facts.trust.entry is not None
    entry = facts.trust.entry.model_copy(update={"state": SealState.REVOKED, "revoked_at": at})
    return facts.model_copy(update={"trust": facts.trust.model_copy(update={"entry": entry})})


def _revoked_by_its_authority(facts: Facts, at: datetime) -> Facts:
    told = {"revocation_as_of": facts.at, "revoked_at": at}
    return facts.model_copy(update={"trust": facts.trust.model_copy(update=told)})


def _expired(facts: Facts, at: datetime) -> Facts:
    """As the judge says it: by the timestamp if there is one, else open with the chain's span."""
    facts = facts.model_copy(
        update={
            "seal": facts.seal.model_copy(
                update={"chain_not_before": facts.at - 100 * HOUR, "chain_not_after": at},
            )
        }
    )
    stamp = facts.seal.timestamp
    if stamp is not None and stamp.at <= at:
        return facts
    state = State.UNDETERMINED if stamp is None else State.FAILED
    return changed(facts, "chain", state=state, sub_indication="OUT_OF_BOUNDS_NO_POE")


def _not_entitled_any_more(facts: Facts, at: datetime) -> Facts:
    assert facts.trust.entry is not None
    entry = facts.trust.entry.model_copy(update={"until_at": at})
    return facts.model_copy(update={"trust": facts.trust.model_copy(update={"entry": entry})})


@pytest.mark.parametrize(
    "ended",
    [_revoked_on_the_list, _revoked_by_its_authority, _expired, _not_entitled_any_more],
    ids=lambda f: f.__name__,
)
def test_a_seal_that_ended_passes_only_with_a_proof_from_before(valid: Facts, ended: Any) -> None:
    entry = valid.trust.entry
    assert entry is not None
    known = valid.trust.model_copy(update={"entry": entry.model_copy(update={"from_at": valid.at - 100 * HOUR})})
    base = valid.model_copy(update={"trust": known})
    seen = set()
    for stamp, record in itertools.product(STAMPS, RECORDS):
        times = [None if hours is None else valid.at + hours * HOUR for hours in (stamp, record)]
        facts = ended(proven(base, stamp=times[0], recorded=times[1]), valid.at - 2 * HOUR)
        is_proven = -3 in (stamp, record)
        is_green = verdict(facts).code.colour is Colour.GREEN
        seen.add(is_green)
        assert is_proven or not is_green, (stamp, record)
        if stamp == -3:
            assert is_green, (stamp, record)
    assert seen == {True, False}


@pytest.mark.parametrize(
    ("entry", "code", "says"),
    [
        (
            {"state": SealState.REVOKED, "revoked_at": -1, "reason": "key compromise"},
            Code.SEAL_REVOKED,
            "revoked at 2026-11-22T02:00:00Z (key compromise); the file is proven as of 2026-11-22T03:00:00Z",
        ),
        (
            {"state": SealState.REVOKED, "revoked_at": 2, "compromised_from": -1},
            Code.SEAL_REVOKED,
            "revoked at 2026-11-22T05:00:00Z, compromised from 2026-11-22T02:00:00Z; the file is proven",
        ),
        ({"state": SealState.REVOKED, "revoked_at": 2}, Code.VALID_WITH_NOTICE, "revoked at 2026-11-22T05:00:00Z; "),
        ({"state": SealState.SUSPENDED, "state_since": 1}, Code.INDETERMINATE, "suspended since 2026-11-22T04:00:00Z"),
        ({"state": SealState.VERIFY_ONLY, "state_since": -1}, Code.UNKNOWN_SEAL, "verify-only since 2026-11-22T02:00"),
        ({"from_at": 1}, Code.UNKNOWN_SEAL, "entitled from 2026-11-22T04:00:00Z until 2029"),
        ({"until_at": -1}, Code.UNKNOWN_SEAL, "until 2026-11-22T02:00:00Z; the file is proven as of 2026-11-22T03:00"),
    ],
)
def test_what_the_list_says_against_a_seal_is_told_with_its_times(
    valid: Facts, entry: dict[str, Any], code: Code, says: str
) -> None:
    """Hours from the seal."""
    told = {key: worlds.AT + value * HOUR if isinstance(value, int) else value for key, value in entry.items()}
    assert valid.trust.entry is not None
    assert valid.proven_at == worlds.AT
    trust = valid.trust.model_copy(update={"entry": valid.trust.entry.model_copy(update=told)})
    found = verdict(valid.model_copy(update={"trust": trust}))
    assert found.code is code
    assert says in next(check.detail for check in found.checks if check.id == "entitled")
