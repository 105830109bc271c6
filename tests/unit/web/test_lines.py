"""Lines for turns: nobody holds them all, whoever holds the fewest is next, and no line is without an end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from served import until

from signer.errors import Busy
from signer.web.lines import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

HOSTILE, OFFICE, OTHER = "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"


def line(*, turns: int = 3, most: int = 8, crowd: int = 4, patience_s: float = 20.0) -> Line:
    return Line(turns=turns, share=turns - 1, most=most, crowd=crowd, patience_s=patience_s)


@pytest.fixture
def wait() -> Iterator[Callable[..., Future[None]]]:
    """Let somebody wait in a thread, and see that he stands in the line."""
    with ThreadPoolExecutor(16) as pool:

        def begin(where: Line, asker: str, *, instead_of: Future[None] | None = None, **how: bool) -> Future[None]:
            before = where.waiting()
            begun = pool.submit(where.take, asker, **how)
            if instead_of is not None:
                assert until(instead_of.done)
            assert until(lambda: where.waiting() == before + (instead_of is None) or begun.done())
            return begun

        yield begin


def test_a_turn_is_left_for_whoever_comes_next(wait: Callable[..., Future[None]]) -> None:
    turns = line()
    turns.take(HOSTILE)
    turns.take(HOSTILE)
    third = wait(turns, HOSTILE)
    turns.take(OFFICE)  # at once
    assert not third.done()
    turns.leave(HOSTILE)
    third.result(20)


def test_a_free_turn_goes_to_who_holds_the_fewest_and_then_to_who_waits_longest(
    wait: Callable[..., Future[None]],
) -> None:
    turns = line(turns=2)
    turns.take(HOSTILE)
    turns.take(OFFICE)
    hostile, other, office = wait(turns, HOSTILE), wait(turns, OTHER), wait(turns, OFFICE)
    turns.leave(OFFICE)
    other.result(20)  # neither was first, and HOSTILE holds one
    turns.leave(OTHER)
    office.result(20)
    assert not hostile.done()
    turns.leave(HOSTILE)
    hostile.result(20)
    for asker in (OFFICE, HOSTILE):
        turns.leave(asker)


def test_a_crowd_has_an_end_and_a_full_line_makes_room_for_who_has_fewer_in_it(
    wait: Callable[..., Future[None]],
) -> None:
    turns = line(turns=2, most=4, crowd=3)
    turns.take(HOSTILE)
    turns.take(OTHER)
    crowd = [wait(turns, HOSTILE) for _ in range(3)]
    with pytest.raises(Busy) as refused:
        turns.take(HOSTILE)
    assert 1 <= refused.value.retry_after_s <= 60
    others = wait(turns, OTHER)
    office = wait(turns, OFFICE, instead_of=crowd[2])  # the line was full
    with pytest.raises(Busy):
        crowd[2].result(20)
    turns.leave(OTHER)
    others.result(20)
    turns.leave(OTHER)
    office.result(20)
    turns.leave(HOSTILE)
    crowd[0].result(20)


def test_who_waited_too_long_is_told_to_come_back_and_takes_no_turn_later() -> None:
    turns = line(turns=2, patience_s=0.01)
    turns.take(HOSTILE)
    turns.take(OTHER)
    with pytest.raises(Busy):
        turns.take(OFFICE)
    assert turns.waiting() == 0
    turns.leave(OTHER)
    turns.take(OFFICE)


def test_who_had_a_turn_before_is_not_turned_away(wait: Callable[..., Future[None]]) -> None:
    turns = line(turns=2, most=2, crowd=2, patience_s=20)
    turns.take(HOSTILE)
    turns.take(OTHER)
    crowd = [wait(turns, OFFICE) for _ in range(2)]
    back = wait(turns, OFFICE, is_back=True)
    turns.leave(OTHER)
    back.result(20)  # before the others
    assert not any(one.done() for one in crowd)
    turns.leave(OFFICE)
    crowd[0].result(20)
    turns.leave(HOSTILE)
    turns.leave(OFFICE)
    crowd[1].result(20)


def test_many_at_once_never_hold_more_than_there_are_and_all_come_to_their_turn() -> None:
    turns, held, most = line(turns=3, most=100, crowd=50), 0, 0
    lock = threading.Lock()

    def work(asker: str) -> None:
        nonlocal held, most
        turns.take(asker)
        with lock:
            held += 1
            most = max(most, held)
        with lock:
            held -= 1
        turns.leave(asker)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, [HOSTILE, OFFICE, OTHER] * 40))
    assert most <= 3
    assert (held, turns.waiting()) == (0, 0)
