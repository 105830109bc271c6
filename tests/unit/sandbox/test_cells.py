"""The child's walls, each run into on purpose; and the nursery, which must survive whatever its children do."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from signer import sandbox
from signer.sandbox import ChildFailed, Limits, keeper, walls

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., bytes]

LIMITS = Limits(wall_s=20)


def fails(run: Run, name: str, limits: Limits = LIMITS) -> ChildFailed:
    with pytest.raises(ChildFailed) as caught:
        run(name, limits)
    return caught.value


def test_a_task_gets_header_and_file_and_answers(run: Run) -> None:
    assert run("echo") == b"head|" + (b"abc" * 100_000)[::-1]


def test_a_loop_is_ended_by_processor_time(run: Run) -> None:
    started = time.monotonic()
    assert fails(run, "spin", Limits(cpu_s=1, wall_s=20)).reason == "TOO_SLOW"
    assert time.monotonic() - started < 15


def test_a_sleeper_is_ended_by_the_clock_and_leaves_no_process(run: Run) -> None:
    assert fails(run, "sleep", Limits(wall_s=1.0)).reason == "TOO_SLOW"
    settle(keeper.pid())


@pytest.mark.parametrize("name", ["eat", "leave", "fail", "say_nothing", "absent"])
def test_a_child_that_dies_gives_no_answer_and_the_next_one_lives(run: Run, name: str) -> None:
    error = fails(run, name)
    assert error.reason == "CHILD_DIED"
    assert "secret" not in str(error)
    assert run("chatter") == b"answer"


def test_too_much_output_is_refused(run: Run) -> None:
    assert fails(run, "say_much").reason == "OUTPUT_TOO_LARGE"


def test_prints_of_libraries_are_not_the_answer(run: Run) -> None:
    assert run("chatter") == b"answer"


def test_a_child_writes_no_file(run: Run, tmp_path: Path) -> None:
    assert fails(run, "write").reason == "CHILD_DIED"
    assert not list(tmp_path.glob("*.written"))


def test_neither_nursery_nor_child_inherits_anything(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIGNER_SECRET", "secret")
    kept = (tmp_path / "open").open("w")
    os.set_inheritable(kept.fileno(), True)
    found = json.loads(run("world"))
    linked = [str(fd.readlink()) for fd in Path(f"/proc/{keeper.pid()}/fd").iterdir()]
    kept.close()
    assert set(found["environment"]) <= {"PWD", "SHLVL", "_", "LC_CTYPE", "OLDPWD"}
    assert found["fds"] == [0, 1, 2, 3, 4]
    assert (found["cwd"], found["isolated"]) == ("/", 1)
    assert re.search(r"Max core file size +0 +0 ", Path(f"/proc/{keeper.pid()}/limits").read_text())
    assert not [one for one in linked if one.startswith(str(tmp_path))]
    assert b"secret" not in Path(f"/proc/{keeper.pid()}/environ").read_bytes()


def test_each_file_has_a_child_of_its_own_that_knows_what_was_taught_and_nothing_of_others(run: Run) -> None:
    assert json.loads(run("remember")) == []
    assert json.loads(run("remember", taught=b"list 1")) == ["list 1"]
    for turn in range(2, 9):
        assert json.loads(run("remember", taught=f"list {turn}".encode()))[-1] == f"list {turn}"
        assert json.loads(run("remember", taught=b"list 1"))[-1] == "list 1"
    first, second = (json.loads(run("world"))["pid"] for _ in range(2))
    assert first != second


def test_a_nursery_that_died_is_replaced_and_one_call_at_most_fails(run: Run) -> None:
    assert run("chatter") == b"answer"
    for _ in range(3):
        os.kill(keeper.pid(), signal.SIGKILL)
        answers = [answer(run) for _ in range(3)]
        assert answers[1:] == [b"answer"] * 2
        assert answers[0] in (b"answer", "CHILD_DIED")


def test_a_nursery_that_is_slow_to_start_takes_nothing_of_the_first_files_time(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = subprocess.Popen

    def halted(*asked: Any, **how: Any) -> subprocess.Popen[bytes]:
        process = start(*asked, **how)
        process.send_signal(signal.SIGSTOP)
        threading.Timer(2.5, process.send_signal, [signal.SIGCONT]).start()
        return process

    monkeypatch.setattr(keeper.subprocess, "Popen", halted)
    assert run("chatter", Limits(wall_s=2.0)) == b"answer"


def answer(run: Run) -> bytes | str:
    try:
        return run("chatter")
    except ChildFailed as error:
        return error.reason


def test_many_threads_share_a_nursery_and_each_gets_its_own_answer(run: Run) -> None:
    def ask(turn: int) -> bool:
        data = bytes([turn]) * 200_000
        return run("echo", data=data) == b"head|" + data

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(40)))
    assert threading.active_count() < 20


def test_the_nursery_stays_small_and_keeps_nothing_of_its_children(run: Run) -> None:
    run("echo")
    settle(keeper.pid())
    before = open_files(keeper.pid())
    for _ in range(50):
        run("echo")
    settle(keeper.pid())
    assert open_files(keeper.pid()) == before
    assert len(list(Path(f"/proc/{keeper.pid()}/task").iterdir())) == 1


def test_the_parent_s_memory_stays_flat(run: Run) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    data = bytes(5_000_000)
    for _ in range(3):
        run("measure", data=data)
    before = resident()
    for _ in range(20):
        run("measure", data=data)
    assert (resident() - before) * os.sysconf("SC_PAGE_SIZE") < 10_000_000


def test_a_fork_of_ours_has_a_nursery_of_its_own(run: Run) -> None:
    run("chatter")
    mine = keeper.pid()
    theirs, ours = os.pipe()
    child = os.fork()
    if child == 0:
        sent = sandbox.run("signer.sandbox.walls:probe", header=b"", data=b"", limits=LIMITS)
        os.write(ours, sent)
        os._exit(0)
    os.waitpid(child, 0)
    assert json.loads(os.read(theirs, 1000))["seccomp"] is True
    os.close(theirs)
    os.close(ours)
    assert run("chatter") == b"answer"
    assert keeper.pid() == mine


def test_every_wall_stands_on_this_platform() -> None:
    found = json.loads(sandbox.run("signer.sandbox.walls:probe", header=b"", data=b"", limits=LIMITS))
    assert found == dict.fromkeys(("seccomp", "no-new-process", "landlock", "no-writing", "no-signals"), True)


@pytest.mark.parametrize("name", ["connect", "execute", "trace", "new_code", "read_keys", "signal_parent"])
def test_a_child_that_was_taken_over_gets_nowhere(run: Run, name: str) -> None:
    assert run(name) == b"EPERM"


def test_the_filter_refuses_other_architectures_and_unknown_machines_have_none() -> None:
    assert walls.program("riscv64") == b""
    for machine in ("x86_64", "aarch64"):
        code = walls.program(machine)
        assert len(code) % 8 == 0
        assert len(code) // 8 < 4096
    assert platform.machine() in ("x86_64", "aarch64")


@pytest.mark.parametrize("task", ["os:system", "signer.sandbox", "signer.x:y;z", "signer:run", "signer..x:y"])
def test_only_our_own_functions_are_tasks(task: str) -> None:
    with pytest.raises(ValueError, match="not a task"):
        sandbox.run(task, header=b"", data=b"", limits=LIMITS)


def settle(pid: int) -> None:
    """Wait until a nursery has but its spare child, and has let go of what belonged to the last."""
    for _ in range(200):
        if len(children(pid)) <= 1:
            time.sleep(0.05)
            return
        time.sleep(0.05)
    pytest.fail("a child is still there")


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def test_a_child_is_ready_before_it_is_asked_for_and_is_not_kept_for_other_limits(run: Run) -> None:
    run("echo")
    settle(keeper.pid())
    (spare,) = children(keeper.pid())
    assert json.loads(run("world"))["pid"] != spare
    settle(keeper.pid())
    (spare,) = children(keeper.pid())
    assert json.loads(run("world"))["pid"] == spare
    settle(keeper.pid())
    (spare,) = children(keeper.pid())
    assert json.loads(run("world", Limits(open_files=20)))["pid"] != spare


def test_a_spare_child_that_dies_is_replaced(run: Run) -> None:
    run("echo")
    settle(keeper.pid())
    for spare in children(keeper.pid()):
        os.kill(spare, signal.SIGKILL)
    wait_until(lambda: not children(keeper.pid()))
    assert run("echo")


def test_a_child_that_works_for_long_gives_way_and_the_others_do_not(run: Run) -> None:
    with ThreadPoolExecutor(1) as threads:
        long = threads.submit(fails, run, "spin", Limits(cpu_s=2))
        wait_until(lambda: 15 in priorities())
        assert os.getpriority(os.PRIO_PROCESS, keeper.pid()) == 0
        assert 0 in priorities()
        assert run("chatter") == b"answer"
        assert long.result().reason == "TOO_SLOW"


def priorities() -> list[int]:
    found = []
    for pid in children(keeper.pid()):
        with suppress(ProcessLookupError):
            found.append(os.getpriority(os.PRIO_PROCESS, pid))
    return found


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(200):
        if is_so():
            return
        time.sleep(0.05)
    pytest.fail("it never was so")
