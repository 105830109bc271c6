"""The whole life of a confirmation, and every effect in the verdicts of file, number and licence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from world import AT, BEICHEN, EMIRATES, HAIYI, KAZAKHSTAN, ROOT, RUSSIA, TIANSHAN, YUNZHOU, World, sample

from signer.domain.evidence import Asked
from signer.domain.number import Number
from signer.domain.trust import SealState
from signer.domain.verdict import Code, Outcome
from signer.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    RuleViolation,
    TimestampUnavailable,
    TooManyRequests,
)
from signer.register import lookup
from signer.register.scope import Scope
from signer.services.licence import Question
from signer.services.trust import make_test_pki
from signer.services.withdraw import Withdrawal
from signer.verification import report
from signer.verification.wording import beijing

PKI = ROOT / "keys.example" / "pki.yaml"
VINS = tuple(vehicle["vin"] for vehicle in sample(KAZAKHSTAN)["vehicles"])


def withdraw(world: World, number: Number, **changes: Any) -> tuple[str, ...]:
    given = {"by": "chen.sample", "second": "lin.sample", "reason": "sale-fell-through", "manufacturer": YUNZHOU}
    return world.services.ending.withdraw(Withdrawal(number=number, **{**given, **changes}))


def by_tail(world: World, number: str, tail: str = VINS[0][-6:]) -> Code:
    return world.services.lookups.by_tail(number, tail, network="192.0.2.1").code


def covered(world: World, number: str, vins: tuple[str, ...] = VINS, **asked: Any) -> Code:
    given = {"vins": vins, "destination": "KZ", "exporter": TIANSHAN, **asked}
    return world.services.lookups.covered((number,), Asked(**given), network="192.0.2.1").code


def test_a_withdrawal_is_told_from_the_next_moment_on_with_its_reason(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    assert (by_tail(world, issued.number), covered(world, issued.number)) == (Code.ON_RECORD, Code.COVERED)
    world.at += timedelta(hours=1)
    assert withdraw(world, issued.number) == VINS
    found = world.verify(issued.pdf)
    assert (found.code, found.end_reason, found.ended_at) == (Code.WITHDRAWN, "sale-fell-through", world.at)
    plain: Any = report.as_json(found, "en", check_texts={})
    (told,) = (check["text"] for check in plain["checks"] if check["id"] == "standing")
    assert f"{issued.number} is genuine, but was withdrawn on {beijing(world.at)} (the sale fell through)" in told
    assert (by_tail(world, issued.number), covered(world, issued.number)) == (Code.WITHDRAWN, Code.WITHDRAWN)
    assert world.issue(sample(KAZAKHSTAN)).number != issued.number


def test_some_lines_can_be_withdrawn_and_the_others_stay(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    withdraw(world, issued.number, vins=(VINS[1].lower(),))
    assert world.verify(issued.pdf, vins=(VINS[1],)).code is Code.WITHDRAWN
    assert world.verify(issued.pdf, vins=(VINS[0], VINS[2])).code is Code.VALID_WITH_NOTICE
    whole = world.verify(issued.pdf)
    assert (whole.code, whole.reason) == (Code.INDETERMINATE, "PARTLY_WITHDRAWN")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"second": "chen.sample"}, NotPermitted),
        ({"second": "sun.sample"}, NotPermitted),
        ({"by": "lin.sample", "second": "chen.sample"}, NotPermitted),
        ({"by": "nobody"}, NotFound),
        ({"manufacturer": BEICHEN, "by": "he.sample", "second": "sun.sample"}, NotFound),
        ({"reason": "mood"}, InvalidInput),
        ({"vins": ("1M8GDM9AXKP042788",)}, NotFound),
    ],
)
def test_a_withdrawal_needs_two_people_of_the_same_manufacturer_and_a_reason(
    world: World, changes: dict[str, Any], error: type[Exception]
) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    with pytest.raises(error):
        withdraw(world, issued.number, **changes)
    assert world.verify(issued.pdf).code is Code.VALID


def test_what_has_ended_does_not_end_again(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    withdraw(world, issued.number)
    with pytest.raises(Conflict):
        withdraw(world, issued.number)


def test_one_person_suspends_at_once_for_72_hours(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    until = world.services.ending.suspend(issued.number, manufacturer=YUNZHOU, by="chen.sample")
    assert until == world.at + timedelta(hours=72)
    found = world.verify(issued.pdf)
    assert (found.code, found.reason) == (Code.INDETERMINATE, "SUSPENDED")
    assert covered(world, issued.number) is Code.INDETERMINATE
    world.at = until - timedelta(seconds=1)
    assert world.verify(issued.pdf).code is Code.INDETERMINATE
    world.at = until
    assert world.verify(issued.pdf).code is Code.VALID


def test_a_second_person_makes_a_suspension_last_until_it_is_lifted(world: World) -> None:
    issued, ending = world.issue(sample(KAZAKHSTAN)), world.services.ending
    ending.suspend(issued.number, manufacturer=YUNZHOU, by="chen.sample")
    with pytest.raises(Conflict, match="same person"):
        ending.suspend(issued.number, manufacturer=YUNZHOU, by="chen.sample")
    assert ending.suspend(issued.number, manufacturer=YUNZHOU, by="lin.sample") is None
    world.at += timedelta(days=10)
    assert world.verify(issued.pdf).code is Code.INDETERMINATE
    with pytest.raises(NotPermitted):
        ending.lift(issued.number, manufacturer=YUNZHOU, by="chen.sample")
    ending.lift(issued.number, manufacturer=YUNZHOU, by="lin.sample")
    assert world.verify(issued.pdf).code is Code.VALID


def test_a_suspended_seal_seals_nothing_and_its_files_are_indeterminate_until_it_ends(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    ((digest,),) = world.rows("SELECT certificate_digest FROM seals WHERE manufacturer_id = 1")
    until = world.services.ending.suspend_seal(digest[:12], manufacturer=YUNZHOU, by="chen.sample")
    found = world.verify(issued.pdf)
    assert (found.code, found.reason) == (Code.INDETERMINATE, "SEAL_SUSPENDED")
    other = sample(KAZAKHSTAN)
    other["supersedes"] = issued.number
    with pytest.raises(RuleViolation) as caught:
        world.issue(other)
    assert [found.rule for found in caught.value.violations] == ["seal.state"]
    world.at = until
    assert world.verify(issued.pdf).code is Code.VALID


def test_unknown_wrong_tail_pending_and_abandoned_are_one_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    world.overrides = {"SIGNER_TSA_URLS": "http://127.0.0.1:9"}
    world.rewire()
    with pytest.raises(TimestampUnavailable):
        world.issue(sample(EMIRATES))

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(world.services.issuing._seals, "seal", die)
    with pytest.raises(KeyboardInterrupt):
        world.issue(sample(RUSSIA))
    numbers = dict(world.rows("SELECT standing, number FROM confirmations"))
    assert set(numbers) == {"issued", "abandoned", "pending"}
    unknown = Number.draw(lambda _: 12345)
    lookups = world.services.lookups
    answers = [
        lookups.by_tail(unknown, VINS[0], network="n"),
        lookups.by_tail(issued.number, "000000", network="n"),
        lookups.by_tail(numbers["abandoned"], sample(EMIRATES)["vehicles"][0]["vin"][-6:], network="n"),
        lookups.by_tail(numbers["pending"], sample(RUSSIA)["vehicles"][0]["vin"][-6:], network="n"),
    ]
    assert {answer.model_dump_json() for answer in answers} == {answers[0].model_dump_json()}
    assert answers[0].code is Code.NOT_ON_RECORD
    with world.services.database.read() as tx:
        known = {
            standing: lookup.tails_of(tx, number, scope=Scope.everything("a test"))
            for standing, number in numbers.items()
        }
    assert (known["pending"], known["abandoned"]) == (frozenset(), frozenset())
    assert known["issued"] == {vin[-6:] for vin in VINS}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"destination": "UZ"}, Code.NOT_COVERED),
        ({"exporter": HAIYI}, Code.NOT_COVERED),
        ({"vins": (*VINS, "1M8GDM9AXKP042788")}, Code.NOT_COVERED),
        ({"vins": ("1M8GDM9AXKP042788",)}, Code.NOT_ON_RECORD),
        ({"vins": VINS[:1]}, Code.COVERED),
    ],
)
def test_covered_needs_every_vin_the_country_and_the_exporter(world: World, asked: dict[str, Any], code: Code) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    assert covered(world, issued.number, **{"vins": VINS, **asked}) is code


def test_a_typed_number_forgives_case_and_look_alikes_and_catches_a_typo(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    typed = issued.number.lower().replace("-", " ").replace("1", "l").replace("0", "o")
    assert by_tail(world, typed) is Code.ON_RECORD
    last = "2" if issued.number[-1] != "2" else "3"
    with pytest.raises(InvalidInput, match="mistyped"):
        by_tail(world, issued.number[:-1] + last)


def test_ten_failures_close_a_number_for_a_day_and_thirty_a_network_for_an_hour(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    for _ in range(10):
        assert by_tail(world, issued.number, "000000") is Code.NOT_ON_RECORD
    with pytest.raises(TooManyRequests):
        by_tail(world, issued.number)
    world.at += timedelta(days=1, seconds=1)
    assert by_tail(world, issued.number) is Code.ON_RECORD
    for guess in range(30):
        unknown = Number.draw(lambda _, guess=guess: guess)  # type: ignore[misc]
        assert by_tail(world, unknown) is Code.NOT_ON_RECORD
    with pytest.raises(TooManyRequests) as caught:
        by_tail(world, issued.number)
    assert caught.value.retry_after_s == 3600
    assert world.services.lookups.by_tail(issued.number, VINS[0], network="198.51.100.7").code is Code.ON_RECORD


def test_a_digest_alone_finds_the_record_and_an_unknown_one_asks_for_the_file(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    ((digest,),) = world.rows("SELECT file_digest FROM files")
    assert world.services.lookups.digest(digest.hex()).number == issued.number
    unknown = world.services.lookups.digest("00" * 32)
    assert (unknown.code, unknown.reason) == (Code.INDETERMINATE, "SEND_FILE")


def licence(world: World, vins: tuple[str, ...], **given: Any) -> Any:
    question = {"destination": "KZ", "exporter": TIANSHAN, "applied_on": world.at.date(), "vins": vins, **given}
    return world.services.licence.check(Question(**question), network="192.0.2.1")


def test_a_licence_is_checked_against_a_file_or_a_number(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    by_file = licence(world, VINS, files=(("a.pdf", issued.pdf),))
    by_number = licence(world, VINS, numbers=(issued.number,))
    for answer in (by_file, by_number):
        assert (answer.outcome, answer.matched, answer.issuers) == (Outcome.PASS, 3, (YUNZHOU,))
        assert [row.state for row in answer.rows] == ["matched"] * 3
        assert answer.rows[0].window.through.isoformat() == "2027-02-28"


def test_several_manufacturers_are_verified_as_a_set_and_one_missing_is_counted(world: World) -> None:
    first = world.issue(sample(KAZAKHSTAN))
    other = sample(RUSSIA)
    other["vehicles"] = other["vehicles"][:2]
    other["destination"] = {"country": "RU"}
    second = world.issue(other)
    mine = tuple(vehicle["vin"] for vehicle in other["vehicles"])
    one = licence(world, VINS + mine, files=(("a.pdf", first.pdf),))
    assert (one.outcome, one.matched, one.asked) == (Outcome.FAIL, 3, 5)
    assert [row.state for row in one.rows] == ["matched"] * 3 + ["missing"] * 2
    both = licence(world, mine, destination="RU", files=(("b.pdf", second.pdf),))
    assert (both.outcome, both.issuers) == (Outcome.PASS, (BEICHEN,))
    mixed = licence(world, VINS + mine, files=(("a.pdf", first.pdf), ("b.pdf", second.pdf)))
    assert mixed.outcome is Outcome.FAIL  # the second paper is for another country


def test_each_number_is_judged_for_its_own_lines(world: World) -> None:
    first, second = world.issue(sample(KAZAKHSTAN)), sample(KAZAKHSTAN)
    second["vehicles"] = [{**second["vehicles"][0], "vin": "L0YSA3B26T0000900"}]
    other = world.issue(second)
    vins = (*VINS, "L0YSA3B26T0000900")
    both = licence(world, vins, numbers=(first.number, other.number))
    assert (both.outcome, both.matched) == (Outcome.PASS, 4)
    foreign = licence(world, (*VINS[:2], "1M8GDM9AXKP042788"), numbers=(first.number,))
    assert (foreign.outcome, [row.state for row in foreign.rows]) == (Outcome.FAIL, ["matched", "matched", "missing"])


def test_extra_lines_of_a_paper_are_shown_and_do_no_harm(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    answer = licence(world, VINS[:2], files=(("a.pdf", issued.pdf),))
    assert (answer.outcome, [row.state for row in answer.rows]) == (Outcome.PASS, ["matched", "matched", "extra"])


def test_an_altered_paper_proves_nothing_of_a_licence(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    answer = licence(world, VINS, files=(("a.pdf", issued.pdf + b" "),))
    assert answer.outcome is Outcome.FAIL
    assert {row.state for row in answer.rows} == {"unproven"}


def test_a_superseded_line_is_amber_and_the_rest_of_the_licence_stays_matched(world: World) -> None:
    first = world.issue(sample(KAZAKHSTAN))
    moved = sample(KAZAKHSTAN)
    moved["vehicles"] = moved["vehicles"][2:]
    moved["supersedes"] = first.number
    second = world.issue(moved)
    old = licence(world, VINS, files=(("a.pdf", first.pdf),))
    assert (old.outcome, [row.state for row in old.rows]) == (Outcome.REVIEW, ["matched", "matched", "superseded"])
    both = licence(world, VINS, files=(("a.pdf", first.pdf), ("b.pdf", second.pdf)))
    assert (both.outcome, [row.state for row in both.rows]) == (Outcome.PASS, ["matched"] * 3)


def test_a_second_person_makes_a_seal_s_suspension_last_and_an_approver_lifts_it(world: World) -> None:
    issued, ending = world.issue(sample(KAZAKHSTAN)), world.services.ending
    ((digest,),) = world.rows("SELECT certificate_digest FROM seals WHERE manufacturer_id = 1")
    ending.suspend_seal(digest, manufacturer=YUNZHOU, by="chen.sample")
    with pytest.raises(Conflict, match="same person"):
        ending.suspend_seal(digest, manufacturer=YUNZHOU, by="chen.sample")
    assert ending.suspend_seal(digest, manufacturer=YUNZHOU, by="lin.sample") is None
    world.at += timedelta(days=10)
    assert world.verify(issued.pdf).reason == "SEAL_SUSPENDED"
    with pytest.raises(NotPermitted):
        ending.lift_seal(digest, manufacturer=YUNZHOU, by="chen.sample")
    ending.lift_seal(digest, manufacturer=YUNZHOU, by="lin.sample")
    assert world.verify(issued.pdf).code is Code.VALID


def test_making_the_test_pki_again_lifts_no_suspension_and_undoes_no_revocation(world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    ((digest,),) = world.rows("SELECT certificate_digest FROM seals WHERE manufacturer_id = 1")
    world.services.ending.suspend_seal(digest, manufacturer=YUNZHOU, by="chen.sample")
    older = world.services.trust.current(world.at)
    revoked = {"state": SealState.REVOKED, "revoked_at": world.at, "compromised_from": AT - timedelta(days=1)}
    world.publish(lambda entry: entry.model_copy(update=revoked) if entry.certificate_digest == digest else entry)
    world.at += timedelta(days=2)
    key_refs = make_test_pki(world.settings, PKI.read_bytes(), at=world.at)
    world.rewire()
    world.services.people.enrol_seals(world.services.trust.current(world.at), key_refs, actor="test")
    assert world.services.trust.current(world.at).sequence == older.sequence + 2
    assert world.rows(f"SELECT state FROM seals WHERE certificate_digest = '{digest}'") == [("suspended",)]
    assert world.verify(issued.pdf).code is Code.SEAL_REVOKED


def test_a_suspended_confirmation_can_be_superseded(world: World) -> None:
    first = world.issue(sample(KAZAKHSTAN))
    world.services.ending.suspend(first.number, manufacturer=YUNZHOU, by="chen.sample")
    newer = sample(KAZAKHSTAN)
    newer["supersedes"] = first.number
    assert world.verify(world.issue(newer).pdf).code is Code.VALID
    assert world.verify(first.pdf).code is Code.SUPERSEDED
