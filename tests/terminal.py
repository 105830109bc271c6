"""
The command line for tests: each command in a process of its own, forked from one that has imported what it needs.

Importing costs a second for each command that is started anew, and the tests start a hundred. What a command can see is
as at a terminal: its arguments, environment, folder and standard streams; nothing of pytest's process. The tutorial,
the server and the built wheel are run as new processes, so that a late import cannot hide.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from world import ROOT

MOST_S = 120
_FORK = "import sys; sys.path[:0] = [{place!r}]; import terminal; terminal.serve()"
_WARM = (
    "batch_keeping",
    "console",
    "copying",
    "ending",
    "exporting",
    "issuing",
    "keys",
    "operating",
    "sealing",
    "trusting",
    "verifying",
)
_running: dict[int, subprocess.Popen[str]] = {}


def run(*arguments: str | Path, told: dict[str, str], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `signer ARGUMENTS` with settings and no others."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIGNER_")}
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as folder:
        streams = {name: str(Path(folder) / name) for name in ("out", "err")}
        server = _server()
        assert server.stdin is not None
        assert server.stdout is not None
        request = {"words": words, "environment": {**clean, **told}, "cwd": str(cwd), **streams}
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        said = {name: Path(path).read_text(encoding="utf-8") for name, path in streams.items()}
    return subprocess.CompletedProcess(["signer", *words], status, said["out"], said["err"])


def _server() -> subprocess.Popen[str]:
    """Return this process's server of commands, started when first asked; a fork of ours has one of its own."""
    if os.getpid() not in _running:
        place = str(Path(__file__).parent)
        command = [sys.executable, "-c", _FORK.format(place=place)]
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        server = subprocess.Popen(command, **pipes, text=True, cwd=ROOT, env=environment)  # type: ignore[call-overload]
        _running[os.getpid()] = server
        atexit.register(_end, server)
    return _running[os.getpid()]


def _end(server: subprocess.Popen[str]) -> None:
    """End a server, if it is ours."""
    if _running.get(os.getpid()) is server:
        server.communicate()


def serve() -> None:
    """Be the server: fork for each line of standard input, and tell how the command ended."""
    for name in _WARM:
        importlib.import_module(f"signer.cli.{name}")
    for line in sys.stdin:
        request = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _be(request)
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _be(request: dict[str, str]) -> None:
    """Be `signer`, as it is started at a terminal."""
    signal.alarm(MOST_S)
    for stream, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(request[name], os.O_WRONLY | os.O_CREAT, 0o600), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
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
