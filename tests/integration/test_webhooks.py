"""Webhooks: what happens is told to a real receiver, at least once, signed, and never what was undone."""

from __future__ import annotations

import base64
import multiprocessing
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import approvals
import exporting
import outside
import pytest
import receiving
import standardwebhooks
import world as worlds
from receiving import OTHER, OWN, Receiver, deliver, subscribe
from world import KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, World, sample

from signer import settings as configured
from signer import wiring
from signer.domain.verdict import Code
from signer.domain.webhook import CHOICES, PAUSES
from signer.errors import Conflict, InvalidInput, NotFound
from signer.jobs import couriers
from signer.register import deliveries, events, parties, suspicions
from signer.register import webhooks as kept
from signer.register.scope import Scope
from signer.services import queues
from signer.services.webhooks import MOST, MOST_SECRETS, OVERLAP, Wanted
from signer.services.withdraw import Withdrawal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from signer.services.doctor import Symptom

CHEN, LIN = PEOPLE[YUNZHOU]
EITHER = pytest.mark.parametrize("database", ["sqlite", "postgresql"])


@pytest.fixture
def database() -> str:
    return "sqlite"


@pytest.fixture
def receiver(world: World) -> Iterator[Receiver]:
    with receiving.receiving(world) as made:
        yield made


def tell(world: World, *, maker: str = OWN, breaks: Callable[[], object] = lambda: None, **data: str) -> None:
    """Let something happen, as the register writes it; `breaks` comes after it in the transaction."""
    with world.services.database.write() as tx:
        owner = parties.tenant(tx, maker).id
        events.tell(tx, events.EventType.ISSUED, manufacturer_id=owner, at=world.at, **data)
        breaks()


def states(world: World) -> list[tuple[str, int]]:
    return [tuple(row) for row in world.rows("SELECT state, attempts FROM deliveries ORDER BY id")]  # type: ignore[misc]


@EITHER
def test_what_happens_to_a_confirmation_is_told_in_its_transaction(world: World, receiver: Receiver) -> None:
    subscribe(world, receiver.url, *CHOICES)
    number = world.issue(sample(KAZAKHSTAN)).number
    world.services.ending.suspend(number, manufacturer=YUNZHOU, by=CHEN)
    world.services.ending.lift(number, manufacturer=YUNZHOU, by=LIN)
    newer = world.issue({**sample(KAZAKHSTAN), "supersedes": str(number)}).number
    gone = Withdrawal(number=newer, manufacturer=YUNZHOU, by=CHEN, second=LIN, reason="error")
    world.services.ending.withdraw(gone)
    deliver(world)
    told = [(one["type"], one["data"]["number"]) for one in receiver.told]
    assert told == [
        ("issued", number),
        ("suspended", number),
        ("resumed", number),
        ("superseded", number),
        ("issued", newer),
        ("withdrawn", newer),
    ]
    assert {frozenset(one["data"]) for one in receiver.told} == {frozenset({"manufacturer", "number"})}
    assert {one["data"]["manufacturer"] for one in receiver.told} == {OWN}
    assert len({one.headers["webhook-id"] for one in receiver.heard}) == 6


def test_what_waits_for_people_is_told(world: World, receiver: Receiver) -> None:
    subscribe(world, receiver.url, *CHOICES)
    exporting.let_in(world, "member.sample", TIANSHAN)
    (asked,) = exporting.send(world, TIANSHAN, "member.sample", sample(KAZAKHSTAN))
    sent = approvals.sent(world)
    world.services.approving.take_back(sent.ref, maker=approvals.maker(world), by=CHEN)
    again = world.services.approving.send(sent.draft_ref, maker=approvals.maker(world), by=CHEN)
    world.services.approving.send_back(again.ref, maker=approvals.maker(world), by=LIN, reason="the wrong port")
    deliver(world)
    assert [(one["type"], one["data"]) for one in receiver.told] == [
        ("request.created", {"manufacturer": OWN, "ref": asked}),
        ("approval.requested", {"manufacturer": OWN, "ref": sent.ref}),
        ("approval.voided", {"manufacturer": OWN, "ref": sent.ref, "reason": "taken-back"}),
        ("approval.requested", {"manufacturer": OWN, "ref": again.ref}),
        ("approval.voided", {"manufacturer": OWN, "ref": again.ref, "reason": "returned"}),
    ]


def test_what_is_suspicious_and_what_ends_is_told_once(world: World, receiver: Receiver) -> None:
    subscribe(world, receiver.url, "forgery.suspected", "seal.expiring")
    with world.services.database.write() as tx:
        scope = parties.tenant(tx, YUNZHOU).scope
        for _ in range(2):
            suspicions.add(tx, "K7Q2M-9XH4T-3PAB", Code.ALTERED.value, scope=scope, count=1, at=world.at)
    ends = min(one.not_after for one in world.services.seal_keeping.all(OWN) if one.not_after)
    world.at = ends - timedelta(days=20)
    world.services.glancing.remind()
    world.services.glancing.remind()
    deliver(world)
    first, *seals = receiver.told
    assert first["data"] == {"manufacturer": OWN, "code": Code.ALTERED.value, "number": "K7Q2M-9XH4T-3PAB"}
    assert {(one["type"], one["data"]["days"]) for one in seals} == {("seal.expiring", "30")}
    assert len({one["data"]["seal"] for one in seals}) == len(seals)


@EITHER
def test_a_transaction_that_is_rolled_back_tells_nothing(world: World, receiver: Receiver) -> None:
    subscribe(world, receiver.url)
    with pytest.raises(ZeroDivisionError):
        tell(world, number="x", breaks=lambda: 1 / 0)
    deliver(world)
    assert (receiver.heard, world.rows("SELECT 1 FROM events"), states(world)) == ([], [], [])


def test_nothing_is_written_for_whom_nobody_listens(world: World, receiver: Receiver) -> None:
    subscribe(world, receiver.url, "withdrawn")
    subscribe(world, receiver.url, maker=OTHER)
    tell(world, number="x")
    assert world.rows("SELECT 1 FROM events") == []
    tell(world, maker=OTHER, number="y")
    deliver(world)
    assert [one["data"] for one in receiver.told] == [{"manufacturer": OTHER, "number": "y"}]


def test_a_receiver_that_is_down_for_two_minutes_is_told_once_it_is_back(world: World, receiver: Receiver) -> None:
    subscribe(world, receiver.url)
    receiver.status = 503
    tell(world, number="x")
    deliver(world)
    for seconds, heard in ((4, 1), (6, 2), (120, 2)):
        world.at = worlds.AT + timedelta(seconds=seconds)
        deliver(world)
        assert len(receiver.heard) == heard, seconds
    receiver.status = 204
    world.at = worlds.AT + timedelta(minutes=6)
    deliver(world)
    deliver(world)
    assert (len(receiver.heard), states(world)) == (3, [("delivered", 3)])
    assert len({(one.headers["webhook-id"], one.body) for one in receiver.heard}) == 1


def test_a_receiver_that_nobody_starts_is_told_too(world: World) -> None:
    with receiving.receiving(world) as receiver:
        subscribe(world, receiver.url)
    tell(world, number="x")
    deliver(world)
    assert world.rows("SELECT status, error FROM deliveries")[0][0] is None
    assert "ConnectionRefusedError" in world.rows("SELECT error FROM deliveries")[0][0]


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_every_2xx_is_arrival(world: World, receiver: Receiver, status: int) -> None:
    subscribe(world, receiver.url)
    receiver.status = status
    tell(world, number="x")
    deliver(world)
    assert states(world) == [("delivered", 1)]


def test_after_ten_tries_in_three_days_it_is_dead_and_can_be_sent_again(world: World, receiver: Receiver) -> None:
    made = subscribe(world, receiver.url)
    hooks = world.services.webhooks
    receiver.status = 302
    tell(world, number="x")
    for pause in (timedelta(), *PAUSES):
        world.at += pause * 1.11
        deliver(world)
    assert (len(receiver.heard), states(world)) == (10, [("dead", 10)])
    world.at += timedelta(days=2)
    deliver(world)
    assert len(receiver.heard) == 10, "dead is dead"
    (dead,) = hooks.deliveries(OWN, made.webhook.ref, is_dead=True)
    assert (dead.status, dead.error) == (302, "answered 302")
    assert [(one.uscc, one.delivery.id) for one in hooks.dead()] == [(OWN, dead.id)]
    assert [one.detail[:10] for one in symptoms(world)] == ["1 given up"]
    receiver.status = 200
    hooks.replay(OWN, made.webhook.ref, dead.id, by=CHEN)
    with pytest.raises(Conflict):
        hooks.replay(OWN, made.webhook.ref, dead.id, by=CHEN)
    deliver(world)
    assert (len(receiver.heard), states(world)) == (11, [("delivered", 1)])
    assert len({one.headers["webhook-id"] for one in receiver.heard}) == 1
    assert [one.health for one in symptoms(world)] == ["ok"]
    hooks.replay_dead(dead.id, by="operator")
    deliver(world)
    assert len(receiver.heard) == 12, "what arrived may be sent again too"


def test_while_a_receiver_is_down_no_more_than_so_many_wait_for_it_the_newest(
    world: World, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queues, "MOST", {**queues.MOST, "deliveries": 2})
    made = subscribe(world, receiver.url)
    receiver.status = 503
    for number in "abcd":
        tell(world, number=number)
    deliver(world)
    assert [state for state, _ in states(world)] == ["dead", "dead", "waiting", "waiting"]
    dead = world.services.webhooks.deliveries(OWN, made.webhook.ref, is_dead=True)
    assert {one.error for one in dead} == {"the queue is full: newer events wait in its place"}
    receiver.status = 200
    world.at += timedelta(minutes=1)
    deliver(world)
    assert [state for state, _ in states(world)] == ["dead", "dead", "delivered", "delivered"]


def symptoms(world: World) -> list[Symptom]:
    return [one for one in world.services.doctor.examine() if one.part == "webhooks"]


def test_who_answers_410_is_asked_no_more_and_its_administrators_learn_of_it(world: World, receiver: Receiver) -> None:
    worlds_admin = "admin.sample"
    world.give("admin", worlds_admin)
    login(world, worlds_admin)
    made = subscribe(world, receiver.url)
    for number in ("x", "y"):
        tell(world, number=number)
    receiver.status = 410
    deliver(world)
    tell(world, number="z")
    world.at += timedelta(days=1)
    deliver(world)
    assert (len(receiver.heard), [state for state, _ in states(world)]) == (1, ["dead", "dead"])
    shown = world.services.webhooks.get(OWN, made.webhook.ref)
    assert (shown.webhook.state, shown.dead) == ("gone", 2)
    assert [one.detail[:8] for one in symptoms(world)] == ["2 given ", "1 gone ("]
    assert [row[0] for row in world.rows("SELECT kind FROM mails")] == ["webhook-gone"]
    (dead, _) = world.services.webhooks.deliveries(OWN, made.webhook.ref)
    with pytest.raises(Conflict, match="resume"):
        world.services.webhooks.replay(OWN, made.webhook.ref, dead.id, by=CHEN)
    receiver.status = 200
    world.services.webhooks.set_state(OWN, made.webhook.ref, "active", by=CHEN)
    world.services.webhooks.replay(OWN, made.webhook.ref, dead.id, by=CHEN)
    deliver(world)
    assert len(receiver.heard) == 2


def login(world: World, person: str) -> None:
    world.change(
        f"INSERT INTO accounts (person_id, login, language, state, created_at) VALUES ('{person}', "
        f"'{person}@example.com', 'zh', 'active', '2026-11-22T00:00:00.000000Z')"
    )


def test_their_own_library_reads_our_signatures_while_secrets_change(world: World, receiver: Receiver) -> None:
    made = subscribe(world, receiver.url)
    hooks, ref = world.services.webhooks, made.webhook.ref
    world.at = datetime.now(UTC)  # the library compares with the present

    def good(*secrets: str) -> None:
        receiver.heard.clear()
        tell(world, number="x")
        deliver(world)
        (asked,) = receiver.heard
        for secret in secrets:
            told = standardwebhooks.Webhook(secret).verify(asked.body, asked.headers)
            assert told["data"]["number"] == "x"
        assert len(asked.headers["webhook-signature"].split(" ")) == len(secrets)
        forged = asked.body.replace(b'"x"', b'"y"')
        for secret in {first, second.secret, third.secret} - set(secrets):
            with pytest.raises(standardwebhooks.WebhookVerificationError):
                standardwebhooks.Webhook(secret).verify(asked.body, asked.headers)
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(secrets[0]).verify(forged, asked.headers)

    first, second, third = made.secret, made, made
    good(first)
    second = third = hooks.rotate(OWN, ref, by=CHEN)
    good(second.secret, first)
    begun = world.at
    world.at = begun + OVERLAP - timedelta(seconds=1)
    with world.services.database.read() as tx:
        owner = Scope.everything("a test looks")
        assert len(kept.secrets(tx, made.webhook.id, scope=owner, at=world.at)) == 2
        assert len(kept.secrets(tx, made.webhook.id, scope=owner, at=begun + OVERLAP)) == 1
    world.at = begun
    third = hooks.rotate(OWN, ref, by=CHEN, is_at_once=True)
    good(third.secret)
    world.services.maintaining.prune()
    assert world.rows("SELECT count(*) FROM webhook_secrets") == [(1,)]


def test_secrets_lie_locked_and_are_told_once(world: World, receiver: Receiver) -> None:
    made = subscribe(world, receiver.url)
    everything = (world.folder / "register.sqlite3").read_bytes() + (world.folder / "register.sqlite3-wal").read_bytes()
    assert made.secret.removeprefix("whsec_").encode() not in everything
    assert base64.b64decode(made.secret.removeprefix("whsec_")) not in everything
    for _ in range(MOST_SECRETS - 1):
        world.services.webhooks.rotate(OWN, made.webhook.ref, by=CHEN)
    with pytest.raises(Conflict):
        world.services.webhooks.rotate(OWN, made.webhook.ref, by=CHEN)


def test_who_hangs_holds_up_nobody_else(world: World) -> None:
    with receiving.receiving(world, status=None) as hanging, receiving.receiving(world) as other:
        for receiver in (hanging, other):
            subscribe(world, receiver.url)
        for number in "abcdefgh":
            tell(world, number=number)
        with couriers(world.services):
            until(lambda: len(other.heard) == 8)
            assert len(hanging.heard) < 3, "one at a time, for ten seconds each"
            world.services.working.run_due()
            hanging.status = 204
            hanging.gate.set()
            world.at += timedelta(hours=1)  # on a slow machine some may have been given up for now
            until(lambda: {state for state, _ in states(world)} == {"delivered"})
    assert len({one["data"]["number"] for one in hanging.told}) == 8


def until(is_so: Callable[[], object], *, within_s: float = 60.0) -> None:
    end = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def _deliver_and_hang(environment: dict[str, str], at: datetime) -> None:
    services = wiring.wire(configured.load(environment), clock=lambda: at)
    services.delivering.hand_out()
    threading.Event().wait(60)


def test_a_process_killed_while_it_delivers_loses_nothing(world: World) -> None:
    with receiving.receiving(world, status=None) as receiver:
        subscribe(world, receiver.url)
        tell(world, number="x")
        process = multiprocessing.get_context("spawn").Process(
            target=_deliver_and_hang, args=(world.environment, world.at)
        )
        process.start()
        until(lambda: receiver.heard)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        receiver.gate.set()
        receiver.status = 204
        deliver(world)
        assert states(world) == [("waiting", 1)], "somebody has it, for all that is known"
        world.at += deliveries.LEASE
        deliver(world)
        assert (states(world), len(receiver.heard)) == ([("delivered", 2)], 2)


def test_two_processes_deliver_each_event_once(world: World, receiver: Receiver) -> None:
    subscribe(world, receiver.url)
    for number in range(30):
        tell(world, number=str(number))
    another = world.another()
    for one in (world, another) * 4:
        one.services.delivering.hand_out()
    for one in (world, another):
        deliver(one)
    another.services.database.close()
    assert sorted(one["data"]["number"] for one in receiver.told) == sorted(map(str, range(30)))


def test_many_events_arrive_in_one_go_each_at_its_first_try(world: World, receiver: Receiver) -> None:
    subscribe(world, receiver.url)
    for number in range(45):
        tell(world, number=str(number))
    deliver(world)
    assert states(world) == [("delivered", 1)] * 45
    assert [one["data"]["number"] for one in receiver.told] == [str(number) for number in range(45)]


def test_what_happens_during_a_pause_is_told_after_it(world: World, receiver: Receiver) -> None:
    made = subscribe(world, receiver.url)
    world.services.webhooks.set_state(OWN, made.webhook.ref, "paused", by=CHEN)
    tell(world, number="x")
    deliver(world)
    assert receiver.heard == []
    with pytest.raises(Conflict):
        world.services.webhooks.ping(OWN, made.webhook.ref, by=CHEN)
    world.services.webhooks.set_state(OWN, made.webhook.ref, "active", by=CHEN)
    world.services.webhooks.ping(OWN, made.webhook.ref, by=CHEN)
    deliver(world)
    assert receiver.kinds == ["issued", "ping"]


def test_while_its_manufacturer_is_suspended_nothing_is_told_and_afterwards_all_of_it(
    world: World, receiver: Receiver
) -> None:
    subscribe(world, receiver.url)
    world.appoint("operator", "operator.one", "operator.two")
    tell(world, number="x")
    world.services.onboarding.suspend(OWN, reason="a seal was lost", by="operator.one")
    tell(world, number="y")
    deliver(world)
    assert receiver.heard == []
    world.services.onboarding.resume(OWN, by="operator.two", factor="passkey")
    deliver(world)
    assert [one["data"]["number"] for one in receiver.told] == ["x", "y"]


def test_one_ping_is_on_its_way_at_a_time(world: World, receiver: Receiver) -> None:
    """Whoever may make a webhook may name any public computer: we are nobody's battering ram."""
    made, other = subscribe(world, receiver.url), subscribe(world, receiver.url)
    hooks = world.services.webhooks
    hooks.ping(OWN, made.webhook.ref, by=CHEN)
    with pytest.raises(Conflict):
        hooks.ping(OWN, made.webhook.ref, by=CHEN)
    hooks.ping(OWN, other.webhook.ref, by=CHEN)
    deliver(world)
    hooks.ping(OWN, made.webhook.ref, by=CHEN)
    deliver(world)
    assert receiver.kinds == ["ping"] * 3


@EITHER
def test_history_is_forgotten_after_thirty_days_but_not_what_is_on_its_way(world: World, receiver: Receiver) -> None:
    made = subscribe(world, receiver.url)
    receiver.status = 204
    tell(world, number="x")
    deliver(world)
    receiver.status = 500
    tell(world, number="y")
    deliver(world)
    world.at += timedelta(days=29)
    tell(world, number="z")
    world.services.maintaining.prune()
    assert len(states(world)) == 3
    world.at += timedelta(days=2)
    world.services.maintaining.prune()
    assert [state for state, _ in states(world)] == ["waiting", "waiting"]
    world.services.webhooks.set_state(OWN, made.webhook.ref, "paused", by=CHEN)
    world.services.maintaining.prune()
    assert (len(states(world)), world.rows("SELECT count(*) FROM events")) == (1, [(1,)])


def test_one_makers_webhooks_are_not_anothers(world: World, receiver: Receiver) -> None:
    made = subscribe(world, receiver.url)
    hooks, ref = world.services.webhooks, made.webhook.ref
    sent = hooks.ping(OWN, ref, by=CHEN)
    other = subscribe(world, receiver.url, maker=OTHER)
    wanted = Wanted(url=receiver.url, label="", events=("issued",))
    for act in (
        lambda: hooks.get(OTHER, ref),
        lambda: hooks.update(OTHER, ref, wanted, by="he.sample"),
        lambda: hooks.set_state(OTHER, ref, "paused", by="he.sample"),
        lambda: hooks.delete(OTHER, ref, by="he.sample"),
        lambda: hooks.rotate(OTHER, ref, by="he.sample"),
        lambda: hooks.ping(OTHER, ref, by="he.sample"),
        lambda: hooks.deliveries(OTHER, ref),
        lambda: hooks.replay(OTHER, ref, sent.id, by="he.sample"),
        lambda: hooks.replay(OTHER, other.webhook.ref, sent.id, by="he.sample"),
    ):
        with pytest.raises(NotFound):
            act()
    assert [one.webhook.ref for one in hooks.all(OTHER)] == [other.webhook.ref]


@pytest.mark.parametrize(
    "url",
    ["http://erp.example.com/", "https://10.0.0.5/", "https://localhost:99999/", "nonsense", "https://u@a.example/"],
)
def test_an_address_that_may_not_be_asked_is_refused_when_it_is_typed(world: World, url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        subscribe(world, url)
    assert caught.value.field == "url"


def test_no_webhook_reaches_what_only_this_computer_may(world: World) -> None:
    with outside.canary() as canary:
        made = subscribe(world, f"https://localhost:{canary.port}/")
        world.services.webhooks.ping(OWN, made.webhook.ref, by=CHEN)
        deliver(world)
        assert canary.hits == 0
    (sent,) = world.services.webhooks.deliveries(OWN, made.webhook.ref)
    assert sent.error == "localhost names no public computer"


def test_what_is_wrong_with_a_webhook_is_named(world: World, receiver: Receiver) -> None:
    for wanted, field in (
        (Wanted(url=receiver.url, label="x" * 61, events=("issued",)), "label"),
        (Wanted(url=receiver.url, label="\u202e", events=("issued",)), "label"),
        (Wanted(url=receiver.url, label="", events=()), "events"),
        (Wanted(url=receiver.url, label="", events=("ping",)), "events"),
        (Wanted(url=receiver.url, label="", events=("issued", "sold")), "events"),
    ):
        with pytest.raises(InvalidInput) as caught:
            world.services.webhooks.create(OWN, wanted, by=CHEN)
        assert caught.value.field == field
    for _ in range(MOST):
        subscribe(world, receiver.url)
    with pytest.raises(Conflict):
        subscribe(world, receiver.url)


def test_a_change_of_what_was_changed_meanwhile_is_refused(world: World, receiver: Receiver) -> None:
    made = subscribe(world, receiver.url)
    hooks, ref = world.services.webhooks, made.webhook.ref
    wanted = Wanted(url=receiver.url, label="OA", events=("issued", "withdrawn"))
    changed = hooks.update(OWN, ref, wanted, by=CHEN, version=1)
    assert (changed.version, changed.label, changed.events) == (2, "OA", ("issued", "withdrawn"))
    for act in (
        lambda: hooks.update(OWN, ref, wanted, by=CHEN, version=1),
        lambda: hooks.set_state(OWN, ref, "paused", by=CHEN, version=1),
        lambda: hooks.delete(OWN, ref, by=CHEN, version=1),
    ):
        with pytest.raises(Conflict):
            act()
    tell(world, number="x")
    hooks.delete(OWN, ref, by=CHEN, version=2)
    deliver(world)
    assert (hooks.all(OWN), states(world), receiver.heard) == ((), [], [])
