"""
The command line for tests: each command in a process of its own, forked from one that has imported what it needs.

Importing costs a second for each command that is started anew, and the tests start a hundred. What a command can see is
as at a terminal: its arguments, environment, folder and standard streams; nothing of pytest's process. Scripts find it
as well: `on_path()` is a folder whose `signer` hands all of that to the same process. The tutorial, the server and the
built wheel are run as new processes, so that a late import cannot hide.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from world import ROOT

MOST_S = 120
_FORK = "import sys; sys.path[:0] = [{place!r}]; import terminal; terminal.serve()"
_WARM = (
    "batch_keeping",
    "batching",
    "bundling",
    "console",
    "copying",
    "ending",
    "exporting",
    "issuing",
    "keys",
    "operating",
    "practising",
    "receipting",
    "remote",
    "sealing",
    "trusting",
    "verifying",
)
_AT_HAND = """#!{python} -IS
import json, os, signal, socket, sys
umask = os.umask(0o77)
os.umask(umask)
told = {{"words": sys.argv[1:], "environment": dict(os.environ), "cwd": os.getcwd(), "umask": umask}}
link = socket.socket(socket.AF_UNIX)
link.connect({door!r})
socket.send_fds(link, [b"."], [0, 1, 2])
link.sendall(json.dumps(told).encode() + b"\\n")
pid = int(link.recv(20))
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    signal.signal(number, lambda number, _: os.kill(pid, number))
status = int(link.recv(20))
if status < 0:
    signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
sys.exit(status)
"""
"""`signer`, for a script: it lends its streams to the one that is forked, passes signals on, and ends as that does."""
_running: dict[int, tuple[subprocess.Popen[str], Path]] = {}


def on_path() -> Path:
    """Return a folder for the front of PATH, in which `signer` is forked as well."""
    _, folder = _server()
    place = folder / "bin"
    if not place.exists():
        place.mkdir()
        program = place / "signer"
        program.write_text(_AT_HAND.format(python=sys.executable, door=str(folder / "door")), encoding="utf-8")
        program.chmod(0o755)
    return place


def run(*arguments: str | Path, told: dict[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `signer ARGUMENTS` with settings and no others."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIGNER_")}
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as folder:
        streams = {name: str(Path(folder) / name) for name in ("out", "err")}
        server, _ = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        request = {"words": words, "environment": {**clean, **told}, "cwd": str(cwd), **streams}
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        said = {name: Path(path).read_text(encoding="utf-8") for name, path in streams.items()}
    return subprocess.CompletedProcess(["signer", *words], status, said["out"], said["err"])


def _server() -> tuple[subprocess.Popen[str], Path]:
    """Return this process's server of commands, started when first asked, and its folder; a fork has its own."""
    if os.getpid() not in _running:
        place, folder = str(Path(__file__).parent), Path(tempfile.mkdtemp(prefix="signer-"))
        command = [sys.executable, "-c", _FORK.format(place=place), str(folder / "door")]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        server = subprocess.Popen(command, **pipes, text=True, cwd=ROOT, env=environment)  # type: ignore[call-overload]
        assert server.stdout is not None
        assert server.stdout.readline() == "open\n"
        _running[os.getpid()] = server, folder
        atexit.register(_end, server, folder)
    return _running[os.getpid()]


def _end(server: subprocess.Popen[str], folder: Path) -> None:
    """End a server, if it is ours."""
    if _running.get(os.getpid(), (None,))[0] is server:
        server.communicate()
        shutil.rmtree(folder, ignore_errors=True)


def serve() -> None:
    """Be the server: fork for each line of standard input, and tell how the command ended; for scripts at a door."""
    for name in _WARM:
        importlib.import_module(f"signer.cli.{name}")
    with socket.socket(socket.AF_UNIX) as door, selectors.DefaultSelector() as asked:
        door.bind(sys.argv[1])
        door.listen()
        _say("open")
        asked.register(sys.stdin, selectors.EVENT_READ)
        asked.register(door, selectors.EVENT_READ)
        scripts = set[int]()
        while True:
            if door in [key.fileobj for key, _ in asked.select()]:
                scripts.add(_forked(partial(_meet, door.accept()[0])))
            elif line := sys.stdin.readline():  # one at a time: who asks waits for the answer
                _say(str(_ended(_forked(partial(_be, json.loads(line))))))
            else:
                return
            scripts -= {pid for pid in scripts if os.waitpid(pid, os.WNOHANG)[0]}


def _say(told: str) -> None:
    sys.stdout.write(f"{told}\n")
    sys.stdout.flush()


def _forked(be: Any) -> int:
    """Return the process that is something else from now on, and ends with it."""
    pid = os.fork()
    if pid == 0:
        try:
            be()
        finally:
            os._exit(70)
    return pid


def _ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _meet(link: socket.socket) -> None:
    """Run one command of a script, with the script's own streams."""
    _, streams, *_ = socket.recv_fds(link, 1, 3)
    with link.makefile("rb") as told:
        request = json.loads(told.readline())
    pid = _forked(partial(_be, {**request, "streams": streams}, link))
    for stream in streams:
        os.close(stream)
    link.sendall(b"%d" % pid)
    link.sendall(b"%d" % _ended(pid))
    os._exit(0)


def _be(request: dict[str, Any], link: socket.socket | None = None) -> None:
    """Be `signer`, as it is started at a terminal."""
    if link is None:
        signal.alarm(MOST_S)
        written = [os.open(request[name], os.O_WRONLY | os.O_CREAT, 0o600) for name in ("out", "err")]
        streams = [os.open(os.devnull, os.O_RDONLY), *written]
    else:
        link.close()
        streams = request["streams"]
        os.umask(request["umask"])
    for stream, found in enumerate(streams):
        os.dup2(found, stream)
        os.close(found)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["cwd"])
    sys.argv = ["signer", *request["words"]]
    status = 70
    try:
        importlib.import_module("signer.cli").main()
        status = 0
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
