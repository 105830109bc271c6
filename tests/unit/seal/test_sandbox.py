"""The child's walls, each run into on purpose."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from signer import sandbox
from signer.domain.evidence import Form
from signer.sandbox import ChildFailed, Limits
from signer.seal import reading
from signer.seal.validate import validate
from tests.pki import AT, World

if TYPE_CHECKING:
    from pathlib import Path

    from signer.seal.sign import Sealed

TASKS = """
import json, os, resource, sys

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
    fds = sorted(int(fd) for fd in os.listdir("/proc/self/fd"))
    return json.dumps({"environment": dict(os.environ), "fds": fds, "cwd": os.getcwd(), "isolated": sys.flags.isolated,
        "core": resource.getrlimit(resource.RLIMIT_CORE), "path": sys.path,
        "status": open("/proc/self/status").read()}).encode()
def write(header, data):
    os.write(os.open(__file__ + ".written", os.O_WRONLY | os.O_CREAT), b"x"); return b"wrote"
"""
LIMITS = Limits(wall_s=20)


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, limits: Limits = LIMITS) -> bytes:
    """Run one of TASKS in a real child, by putting a module `signer.sandbox_tasks` in the child's way."""
    (tmp_path / "tasks.py").write_text(TASKS)
    starter = tmp_path / "python"
    code = (
        "import sys, importlib.util; "
        f"spec = importlib.util.spec_from_file_location('signer.sandbox_tasks', {str(tmp_path / 'tasks.py')!r}); "
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module); "
        "sys.modules['signer.sandbox_tasks'] = module; "
        "import runpy; sys.argv = ['signer.sandbox', *sys.argv[1:]]; "
        "runpy.run_module('signer.sandbox', run_name='__main__')"
    )
    starter.write_text(f'#!/bin/sh\nshift 6\nexec {sandbox.sys.executable} -I -B -c "{code}" "$@"\n')
    starter.chmod(0o755)
    monkeypatch.setattr(sandbox.sys, "executable", str(starter))
    return sandbox.run(f"signer.sandbox_tasks:{name}", header=b"head", data=b"abc" * 100_000, limits=limits)


def fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, limits: Limits = LIMITS) -> ChildFailed:
    with pytest.raises(ChildFailed) as caught:
        run(monkeypatch, tmp_path, name, limits)
    return caught.value


def test_a_task_gets_header_and_file_and_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run(monkeypatch, tmp_path, "echo") == b"head|" + (b"abc" * 100_000)[::-1]


def test_a_loop_is_ended_by_processor_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = time.monotonic()
    assert fails(monkeypatch, tmp_path, "spin", Limits(cpu_s=1, wall_s=20)).reason == "TOO_SLOW"
    assert time.monotonic() - started < 10


def test_a_sleeper_is_ended_by_the_clock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started = time.monotonic()
    assert fails(monkeypatch, tmp_path, "sleep", Limits(wall_s=1.0)).reason == "TOO_SLOW"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("name", ["eat", "leave", "fail", "say_nothing"])
def test_a_child_that_dies_gives_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    error = fails(monkeypatch, tmp_path, name)
    assert error.reason == "CHILD_DIED"
    assert "secret" not in str(error)


def test_too_much_output_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert fails(monkeypatch, tmp_path, "say_much").reason == "OUTPUT_TOO_LARGE"


def test_prints_of_libraries_are_not_the_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run(monkeypatch, tmp_path, "chatter") == b"answer"


def test_a_child_writes_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert fails(monkeypatch, tmp_path, "write").reason == "CHILD_DIED"


def test_a_child_inherits_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIGNER_SECRET", "secret")
    kept = (tmp_path / "open").open("w")
    os.set_inheritable(kept.fileno(), True)
    found = json.loads(run(monkeypatch, tmp_path, "world"))
    kept.close()
    assert set(found["environment"]) <= {"PWD", "SHLVL", "_", "LC_CTYPE", "OLDPWD"}
    assert len(found["fds"]) <= 5
    assert (found["cwd"], found["isolated"], found["core"]) == ("/", 1, [0, 0])
    assert "NoNewPrivs:\t1" in found["status"]


@pytest.mark.parametrize("task", ["os:system", "signer.sandbox", "signer.x:y;z", "signer:run", "signer..x:y"])
def test_only_our_own_functions_are_tasks(task: str) -> None:
    with pytest.raises(ValueError, match="not a task"):
        sandbox.run(task, header=b"", data=b"", limits=LIMITS)


def test_the_judge_in_its_cell_finds_what_it_finds_outside(world: World, sealed: Sealed) -> None:
    assert reading.facts_of(sealed.pdf, world.trust, AT) == validate(sealed.pdf, world.trust, AT)


def test_a_judge_that_is_too_slow_or_dies_is_a_fact(world: World, sealed: Sealed) -> None:
    slow = reading.facts_of(sealed.pdf, world.trust, AT, limits=Limits(wall_s=0.05))
    assert (slow.form, slow.reason) == (Form.UNREADABLE, "TOO_SLOW")
    dead = reading.facts_of(sealed.pdf, world.trust, AT, limits=Limits(memory_bytes=64 << 20))
    assert (dead.form, dead.reason) == (Form.UNREADABLE, "CHILD_DIED")


def test_an_answer_of_another_form_is_not_believed(
    world: World, sealed: Sealed, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [b"null", b'{"form":"sealed","extra":1}', b'{"form":"sealed","sealed_length":-1}', b"\xff"]
    for answer in answers:
        monkeypatch.setattr(sandbox, "run", lambda *_, _answer=answer, **__: _answer)
        facts = reading.facts_of(sealed.pdf, world.trust, AT)
        assert (facts.form, facts.reason) == (Form.UNREADABLE, "CHILD_DIED")
