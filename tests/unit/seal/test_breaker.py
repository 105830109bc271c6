"""An authority that failed is left alone for a while, and comes back by one question."""

from __future__ import annotations

from datetime import timedelta

import pytest

from signer.errors import TimestampUnavailable
from signer.seal.breaker import FIRST_REST, LONGEST_REST, MOST_FAILURES, Breaker
from signer.seal.timestamp import Timestamper
from tests.pki import AT, World


class Clock:
    def __init__(self) -> None:
        self.at = AT

    def __call__(self) -> object:
        return self.at


class Moody:
    """Counts the questions, and answers only when it is told to."""

    def __init__(self, name: str, honest: object, *, is_up: bool = True) -> None:
        self.name, self.is_up, self.asked, self._honest = name, is_up, 0, honest

    def answer(self, query: bytes) -> bytes:
        self.asked += 1
        if not self.is_up:
            raise TimestampUnavailable(f"{self.name}: no answer within 10 s")
        answered: bytes = self._honest.answer(query)  # type: ignore[attr-defined]
        return answered


def test_the_second_is_asked_while_the_first_rests_and_the_first_again_after(world: World) -> None:
    clock = Clock()
    first = Moody("first", world.authority(AT), is_up=False)
    second = Moody("second", world.authority(AT))
    stamper = Timestamper((first, second), trust=world.trust, clock=clock)  # type: ignore[arg-type]
    for _ in range(3):
        assert stamper.stamp(b"x", intended_at=AT).authority is second
    assert (first.asked, second.asked) == (1, 3)
    clock.at += FIRST_REST
    first.is_up = True
    assert stamper.stamp(b"x", intended_at=AT).authority is first
    assert stamper.stamp(b"x", intended_at=AT).authority is first
    assert (first.asked, second.asked) == (3, 3)


def test_one_that_fails_again_and_again_is_not_asked_until_its_rest_is_over(world: World) -> None:
    clock = Clock()
    only = Moody("only", world.authority(AT), is_up=False)
    stamper = Timestamper((only,), trust=world.trust, clock=clock)  # type: ignore[arg-type]
    for _ in range(MOST_FAILURES):
        with pytest.raises(TimestampUnavailable, match="no answer within"):
            stamper.stamp(b"x", intended_at=AT)
    with pytest.raises(TimestampUnavailable, match=r"only: left alone until .* after 3 failures \(only: no answer"):
        stamper.stamp(b"x", intended_at=AT)
    assert only.asked == MOST_FAILURES
    assert stamper.each()[0].name == "only"  # the doctor asks all the same
    clock.at += 4 * FIRST_REST
    only.is_up = True
    assert stamper.stamp(b"x", intended_at=AT).authority is only
    only.is_up = False
    with pytest.raises(TimestampUnavailable, match="no answer within"):
        stamper.stamp(b"x", intended_at=AT)


def test_rests_double_and_end() -> None:
    clock = Clock()
    breaker = Breaker(clock)  # type: ignore[arg-type]
    lasted = []
    for _ in range(12):
        breaker.failed("a", "why")
        rest = breaker.rest("a")
        assert rest is not None
        lasted.append(rest.until - clock.at)
    assert lasted[:3] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]
    assert lasted[-1] == LONGEST_REST
    assert breaker.order(["a", "b"]) == ("b",)
    clock.at += LONGEST_REST + timedelta(seconds=1)
    assert breaker.order(["a", "b"]) == ("a", "b")
    breaker.answered("a")
    breaker.failed("a", "why")
    assert breaker.order(["a", "b"]) == ("b", "a")
    assert "after 1 failures (why)" in breaker.told(["a", "b"])
