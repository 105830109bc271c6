"""Children that are kept: for known files only, after clean answers only, behind the same walls, and not for long."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from signer.sandbox import ChildFailed, Limits, child, keeper
from signer.sandbox.framing import LENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., bytes]

LIMITS = Limits(wall_s=20)


def always(_answer: bytes) -> bool:
    return True


def never(_answer: bytes) -> bool:
    return False


def pid_of(run: Run, **given: Any) -> int:
    """Ask a child that takes known files which it is."""
    return int(json.loads(run("world", **{"is_clean": always, **given}))["pid"])


def test_known_files_share_a_child_and_no_other_file_ever_sees_it(run: Run) -> None:
    kept = pid_of(run)
    for _ in range(3):
        assert json.loads(run("world"))["pid"] != kept
        assert pid_of(run) == kept


def test_a_file_of_any_length_comes_whole_by_memory_or_by_pipe(run: Run) -> None:
    for is_clean in (always, None):
        for length in (LENT_BYTES, 0, LENT_BYTES + 1, 1, 3 * LENT_BYTES, 5):
            assert run("measure", data=b"%d" % (length % 7) * length, is_clean=is_clean) == b"%d" % length
    for data in (b"first file", b"next", b"", b"x" * 900_000, b"one more"):
        assert run("echo", data=data, is_clean=always) == b"head|" + data[::-1]


def test_only_a_clean_answer_lets_a_child_take_another_file(run: Run) -> None:
    pids = [pid_of(run, is_clean=is_clean) for is_clean in (never, always, always, never, always)]
    assert len({pids[0], pids[1], pids[4]}) == 3
    assert pids[1] == pids[2] == pids[3]


def test_an_answer_that_cannot_be_judged_ends_its_child(run: Run) -> None:
    def broken(_answer: bytes) -> bool:
        raise ArithmeticError

    first = pid_of(run)
    with pytest.raises(ArithmeticError):
        pid_of(run, is_clean=broken)
    assert pid_of(run) != first


@pytest.mark.parametrize("name", ["leave", "fail", "say_nothing", "say_much", "eat"])
def test_a_child_that_fails_is_not_kept_and_the_next_one_lives(run: Run, name: str) -> None:
    for _ in range(2):
        with pytest.raises(ChildFailed):
            run(name, is_clean=always)
    assert run("chatter", is_clean=always) == b"answer"


def test_a_file_that_a_used_child_cannot_answer_is_answered_by_a_new_one(run: Run) -> None:
    assert [run("frail", is_clean=always) for _ in range(4)] == [b"fresh"] * 4


def test_a_used_child_has_the_time_of_one_file_not_more(run: Run) -> None:
    limits = Limits(cpu_s=1, wall_s=20)
    began = time.monotonic()
    assert [run("frail", limits, data=b"spin", is_clean=always) for _ in range(2)] == [b"fresh"] * 2
    assert time.monotonic() - began < 10


def test_a_child_answers_for_so_many_files_and_no_more(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert keeper.MOST_FILES == 50
    monkeypatch.setattr(keeper, "MOST_FILES", 3)
    pids = [pid_of(run) for _ in range(9)]
    assert pids == [pids[0]] * 3 + [pids[3]] * 3 + [pids[6]] * 3
    assert len(set(pids)) == 3


@pytest.mark.parametrize("name", ["grow", "burn"])
def test_a_child_that_grew_or_worked_for_long_is_not_kept(run: Run, name: str) -> None:
    assert len({run(name, is_clean=always) for _ in range(3)}) == 3
    assert len({pid_of(run) for _ in range(3)}) == 1


def test_a_child_is_kept_for_one_errand(run: Run) -> None:
    kept = pid_of(run)
    assert pid_of(run, taught=b"list 1") != kept
    for turn in (1, 2, 3):
        assert json.loads(run("remember", taught=b"list %d" % turn, is_clean=always))[-1] == f"list {turn}"
    assert pid_of(run, limits=Limits(wall_s=20, open_files=20)) != kept


def test_a_waiting_child_that_died_is_replaced(run: Run) -> None:
    waiting = pid_of(run)
    os.kill(waiting, signal.SIGKILL)
    assert pid_of(run) != waiting


def test_kept_children_die_with_their_nursery_and_are_replaced(run: Run) -> None:
    waiting = pid_of(run)
    os.kill(keeper.pid(), signal.SIGKILL)
    for _ in range(200):
        if not Path(f"/proc/{waiting}/cmdline").exists() or not Path(f"/proc/{waiting}/cmdline").read_bytes():
            break
        time.sleep(0.05)
    assert pid_of(run) != waiting


def test_an_idle_child_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    monkeypatch.setattr(child, "_FILE", ours)
    monkeypatch.setattr(child, "_IDLE_S", 0.05)
    assert not child._is_asked()
    os.write(theirs, b"file")
    assert child._is_asked()
    os.close(theirs)
    os.read(ours, 10)
    assert not child._is_asked()
    os.close(ours)


def test_no_more_children_wait_than_processors_and_one(run: Run) -> None:
    most = (os.cpu_count() or 1) + 1

    def ask(turn: int) -> bool:
        data = bytes([turn]) * 100_000
        return run("echo", data=data, is_clean=always) == b"head|" + data

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(60)))
    for _ in range(200):
        count = len(Path(f"/proc/{keeper.pid()}/task/{keeper.pid()}/children").read_text().split())
        if count <= most + 1:
            break
        time.sleep(0.05)
    assert count <= most + 1, "one of them is the spare"


@pytest.mark.parametrize("name", ["connect", "execute", "trace", "new_code", "read_keys", "signal_parent"])
def test_the_walls_stand_for_every_file_of_a_kept_child(run: Run, name: str) -> None:
    kept = pid_of(run)
    assert [run(name, is_clean=always) for _ in range(2)] == [b"EPERM"] * 2
    assert pid_of(run) == kept


def test_a_fork_of_ours_leaves_our_kept_children_alone(run: Run) -> None:
    kept = pid_of(run)
    forked_process = os.fork()
    if forked_process == 0:
        os._exit(0)
    os.waitpid(forked_process, 0)
    assert pid_of(run) == kept


def test_our_memory_and_files_stay_as_they_were(run: Run) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    data = bytes(5_000_000)
    for _ in range(3):
        run("measure", data=data, is_clean=always)
    before, opened = resident(), descriptors()
    for _ in range(60):
        run("measure", data=data, is_clean=always)
    assert (resident() - before) * os.sysconf("SC_PAGE_SIZE") < 10_000_000
    assert descriptors() <= opened
