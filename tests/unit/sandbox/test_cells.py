"""The child's walls, each run into on purpose; and the nursery, which must survive whatever its children do."""

from __future__ import annotations

import json
import os
import platform
import re
import signal
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
    from collections.abc import Callable, Iterator

    Run = Callable[..., bytes]

TASKS = """
import ctypes, json, mmap, os, socket, sys

def echo(header, data): return header + b"|" + data[::-1]
def spin(header, data):
    while True: pass
def sleep(header, data):
    import time
    time.sleep(60)
def eat(header, data): return bytes(len(bytearray(1 << 33)))
def leave(header, data): os._exit(7)
def fail(header, data): raise RuntimeError("secret")
def say_much(header, data): return bytes(2_000_000)
def say_nothing(header, data): return b""
def chatter(header, data):
    print("noise"); print("noise", file=sys.stderr); os.write(1, b"noise"); return b"answer"
def world(header, data):
    fds = [fd for fd in range(32) if is_open(fd)]
    return json.dumps({"environment": dict(os.environ), "fds": fds, "cwd": os.getcwd(), "isolated": sys.flags.isolated,
        "pid": os.getpid()}).encode()
def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
KNOWN = []
def learn(taught): KNOWN.append(taught.decode())
def remember(header, data):
    known = list(KNOWN)
    KNOWN.append("hostile")
    return json.dumps(known).encode()
def measure(header, data): return str(len(data)).encode()
def refused(way):
    try:
        found = way()
    except OSError as error:
        return {1: b"EPERM", 13: b"EPERM"}.get(error.errno, repr(error).encode())
    return repr(found).encode()
def connect(header, data):
    return refused(socket.socket)
def execute(header, data): return refused(lambda: os.execv("/bin/true", ["true"]))
def trace(header, data):
    library = ctypes.CDLL(None, use_errno=True)
    def way():
        if library.ptrace(16, os.getppid(), 0, 0) < 0:
            raise OSError(ctypes.get_errno(), "ptrace")
    return refused(way)
def new_code(header, data):
    return refused(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC))
def read_keys(header, data): return refused(lambda: open("/etc/hostname").read())
def signal_parent(header, data): return refused(lambda: os.kill(os.getppid(), 9))
def write(header, data):
    os.write(os.open(__file__ + ".written", os.O_WRONLY | os.O_CREAT), b"x"); return b"wrote"
"""
LIMITS = Limits(wall_s=20)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Run]:
    """Run one of TASKS in a real child of a nursery of its own, which finds them as `signer.sandbox_tasks`."""
    (tmp_path / "tasks.py").write_text(TASKS)
    starter = tmp_path / "python"
    code = (
        "import sys, importlib.util; "
        f"spec = importlib.util.spec_from_file_location('signer.sandbox_tasks', {str(tmp_path / 'tasks.py')!r}); "
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module); "
        "sys.modules['signer.sandbox_tasks'] = module; "
        "import runpy; sys.argv = ['signer.sandbox.nursery', *sys.argv[1:]]; "
        "runpy.run_module('signer.sandbox.nursery', run_name='__main__')"
    )
    starter.write_text(f'#!/bin/sh\nshift 6\nexec {keeper.sys.executable} -I -B -c "{code}" "$@"\n')
    starter.chmod(0o755)
    monkeypatch.setattr(keeper.sys, "executable", str(starter))
    mine = keeper.Keeper()
    monkeypatch.setattr(keeper, "open_cell", mine.open_cell)
    monkeypatch.setattr(keeper, "pid", mine.pid)

    def run(name: str, limits: Limits = LIMITS, **given: Any) -> bytes:
        data = given.pop("data", b"abc" * 100_000)
        return sandbox.run(f"signer.sandbox_tasks:{name}", header=b"head", data=data, limits=limits, **given)

    yield run
    mine.close()


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
    assert found["fds"] == [0, 1, 2, 3]
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
