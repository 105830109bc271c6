"""A nursery of its own for each test, whose children do what a hostile file might make them do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from signer import sandbox
from signer.sandbox import Limits, keeper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

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
def grow(header, data):
    bytearray(100_000_000)
    return str(os.getpid()).encode()
def burn(header, data):
    import time
    while time.process_time() < 0.6: pass
    return str(os.getpid()).encode()
def frail(header, data):
    KNOWN.append("hostile")
    while data == b"spin" and len(KNOWN) > 1: pass
    if len(KNOWN) > 1: os._exit(7)
    return b"fresh"
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
    monkeypatch.setattr(keeper, "wake", mine.wake)
    monkeypatch.setattr(keeper, "open_cell", mine.open_cell)
    monkeypatch.setattr(keeper, "known_cell", mine.known_cell)
    monkeypatch.setattr(keeper, "pid", mine.pid)

    def run(name: str, limits: Limits = LIMITS, **given: Any) -> bytes:
        data = given.pop("data", b"abc" * 100_000)
        return sandbox.run(f"signer.sandbox_tasks:{name}", header=b"head", data=data, limits=limits, **given)

    yield run
    mine.close()
