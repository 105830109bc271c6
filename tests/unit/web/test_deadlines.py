"""One thread minds every deadline of a process."""

from __future__ import annotations

import threading
import time
import weakref

from signer.web import deadlines
from signer.web.deadlines import Deadlines


def test_what_takes_longer_is_called_and_what_does_not_is_not() -> None:
    minded, called = Deadlines(), []
    over = threading.Event()
    with minded.over(60, lambda: called.append("far")), minded.over(0.05, over.set):
        assert over.wait(20)
    with minded.over(0.2, lambda: called.append("taken back")):
        pass
    time.sleep(0.4)
    assert called == []


def test_the_earliest_is_first_in_whichever_order_they_came() -> None:
    minded, order, done = Deadlines(), [], threading.Event()
    with (
        minded.over(0.4, done.set),
        minded.over(0.2, lambda: order.append(2)),
        minded.over(0.1, lambda: order.append(1)),
    ):
        assert done.wait(20)
    assert order == [1, 2]


def test_many_at_once_cost_one_thread() -> None:
    minded, before = Deadlines(), threading.active_count()
    released = threading.Event()

    def hold() -> None:
        with minded.over(60, lambda: None):
            released.wait(20)

    threads = [threading.Thread(target=hold) for _ in range(20)]
    for thread in threads:
        thread.start()
    assert threading.active_count() == before + len(threads) + 1
    released.set()
    for thread in threads:
        thread.join()


def test_one_that_cannot_be_kept_stops_no_other() -> None:
    minded, over = Deadlines(), threading.Event()

    def broken() -> None:
        raise OSError("the connection is gone already")

    with minded.over(0.05, broken), minded.over(0.2, over.set):
        assert over.wait(20)


def test_deadlines_that_were_kept_do_not_hold_what_they_would_have_cut() -> None:
    minded = Deadlines()
    held = []
    for _ in range(1_000):
        cut = Cut()
        held.append(weakref.ref(cut))
        with minded.over(300.0, cut):
            pass
    del cut
    assert sum(one() is not None for one in held) <= 100


class Cut:
    """What a deadline would have called."""

    def __call__(self) -> None:
        raise AssertionError("nothing was late")


def test_a_deadline_that_is_renewed_is_due_as_long_again_and_no_later() -> None:
    minded, over = Deadlines(), threading.Event()
    with minded.over(0.3, over.set) as mine:
        for _ in range(6):
            time.sleep(0.1)
            mine.renew()
        assert not over.is_set()
        assert over.wait(20)
        mine.renew()  # what was called is not called back


def test_a_connection_that_goes_on_taking_is_not_cut_and_any_other_thread_has_none() -> None:
    over = threading.Event()
    deadlines.renew()
    with deadlines.of_connection(0.3, over.set):
        for _ in range(6):
            time.sleep(0.1)
            deadlines.renew()
        assert not over.is_set()
        assert over.wait(20)
    deadlines.renew()
