"""`signer serve` as an operator runs it: the page answers, and on SQLite what is due is done beside it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import world as worlds
from served import answers, serving, until
from world import KAZAKHSTAN, World, sample

from signer.domain.verdict import Code
from signer.serve import Companion

if TYPE_CHECKING:
    from collections.abc import Iterator


def workers(server: subprocess.Popen[bytes]) -> list[int]:
    """Return the processes that work beside a server, by their command lines."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = place.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--beside" in words and str(server.pid).encode() in words:
            found.append(int(place.parent.name))
    return found


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A deployment in which a number was reserved a quarter of an hour ago by a process that died."""

    def die(_work: object) -> None:
        raise KeyboardInterrupt

    folder = tmp_path / "left"
    folder.mkdir()
    at = datetime.now(UTC) - timedelta(minutes=15)
    world = World(worlds.build(folder, at=at), at=at)
    with monkeypatch.context() as cut:
        cut.setattr(world.services.issuing._sealing, "complete", die)
        with pytest.raises(KeyboardInterrupt):
            world.issue(sample(KAZAKHSTAN, today=at.date()))
    world.at = datetime.now(UTC)
    yield world
    world.services.database.close()


def standings(world: World) -> list[str]:
    return [standing for (standing,) in world.rows("SELECT standing FROM confirmations")]


def test_serving_on_sqlite_settles_what_was_left_and_has_one_worker_for_any_number_of_processes(
    left: World,
) -> None:
    with serving(left, "--workers", "3") as (server, port):
        assert until(lambda: standings(left) == ["issued"])
        assert until(lambda: answers(port))
        (first,) = workers(server)
        server.send_signal(signal.SIGHUP)
        time.sleep(2)
        assert workers(server) == [first]
        os.kill(first, signal.SIGKILL)
        assert until(lambda: len(workers(server)) == 1 and workers(server) != [first])
        assert answers(port)
        server.terminate()
        assert server.wait(60) == 0
        assert until(lambda: workers(server) == [])
    number = left.rows("SELECT number FROM confirmations")[0][0]
    left.at = datetime.now(UTC)
    assert left.verify(left.services.issuing.fetch(number)).code is Code.VALID


def test_without_a_worker_nothing_is_settled_and_a_killed_server_leaves_none_behind(
    left: World,
) -> None:
    with serving(left, "--no-worker", "--workers", "1") as (server, port):
        assert until(lambda: answers(port))
        assert workers(server) == []
    assert standings(left) == ["pending"]
    with serving(left, "--workers", "1") as (server, port):
        assert until(lambda: answers(port) and len(workers(server)) == 1)
        server.kill()
        server.wait(30)
        assert until(lambda: workers(server) == [])


def test_a_worker_that_dies_at_its_start_is_started_again_ever_more_slowly() -> None:
    """Its exit status may have been taken by the arbiter already: that counts as an end too."""
    companion = Companion((sys.executable, "-c", "raise SystemExit(1)"))
    pauses = []
    for _ in range(3):
        companion.tend()
        assert companion._process is not None
        os.waitpid(companion._process.pid, 0)
        companion.tend()
        pauses.append(round(companion._due_at - time.monotonic()))
        companion._due_at = 0.0
    assert pauses == [1, 2, 4]
    companion.tend()
    companion.ask_to_end()
    companion.end()
    companion.tend()
    assert companion._process is None


def test_a_worker_whose_program_is_gone_is_tried_again_later() -> None:
    companion = Companion(("/nowhere/python",))
    companion.tend()
    assert companion._due_at > time.monotonic() + 30


def children(server: subprocess.Popen[bytes]) -> set[str]:
    return set(Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split())


def test_a_reload_begins_new_processes_ends_what_is_being_answered_and_is_forked_from_one_thread(
    live_world: World,
) -> None:
    """Nothing was compiled before a fork: who forks has no thread but its own, however often."""
    with serving(live_world, "--no-worker", "--workers", "1") as (server, port):
        assert until(lambda: answers(port))
        before = children(server)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
            head = (
                "POST /api/v1/verify HTTP/1.1\r\nHost: x\r\nContent-Type: application/pdf\r\nContent-Length: 40\r\n\r\n"
            )
            line.sendall(head.encode() + b"no pdf: the first half,")
            time.sleep(0.2)
            server.send_signal(signal.SIGHUP)
            assert until(lambda: bool(children(server) - before))
            line.sendall(b" and the second .")
            with line.makefile("rb") as answer:
                assert answer.readline().split()[1] == b"200"
        assert until(lambda: not children(server) & before)
        assert answers(port)
        assert len(list(Path(f"/proc/{server.pid}/task").iterdir())) == 1


_BROKEN = """
import sys
from signer import logs, serve, settings

class Broken:
    def __call__(self, environ, start_response):
        raise ValueError(environ["RAW_URI"])

chosen = settings.load()
logs.configure(chosen.log_level)
options = serve._options(chosen, host="127.0.0.1", port=0, workers=1)
serve._Server(Broken, options | {"bind": f"fd://{sys.argv[1]}"}, None).run()
"""
"""The server around an application that answers nothing: what comes then are the server's own words."""


def test_what_the_server_says_of_a_broken_answer_or_request_never_holds_what_was_asked_for(tmp_path: Path) -> None:
    secret = "7c" * 32
    environment = {**os.environ, "SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(tmp_path), "SIGNER_LOG_LEVEL": "debug"}
    with socket.create_server(("127.0.0.1", 0)) as door, (tmp_path / "heard").open("wb") as heard:
        command = [sys.executable, "-c", _BROKEN, str(door.fileno())]
        server = subprocess.Popen(command, env=environment, stderr=heard, stdout=heard, pass_fds=[door.fileno()])
        try:
            answers = [
                _ask(door.getsockname(), f"GET /shared/{secret}?code={secret} {version}\r\nHost: x\r\n\r\n")
                for version in ("HTTP/1.1", f"HTTP/{secret}")
            ]
        finally:
            server.send_signal(signal.SIGQUIT)
            server.wait(90)
    told = (tmp_path / "heard").read_text()
    assert [answer.split()[1] for answer in answers] == ["500", "400"]
    assert all(word in told for word in ("server.failed", "ValueError", "server.no-request"))
    assert secret not in told


def _ask(place: tuple[str, int], request: str) -> str:
    with socket.create_connection(place, timeout=20) as line:
        line.sendall(request.encode())
        return line.recv(4096).decode()
