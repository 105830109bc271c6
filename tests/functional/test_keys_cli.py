"""`signer keys check`, as an operator runs it: a table, the exact fault, the next step, the exit code."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.functional.test_keeping_cli import signer

if TYPE_CHECKING:
    from world import World


def test_keys_that_serve_are_told_and_the_exit_is_0(live_world: World) -> None:
    told = signer(live_world.folder, "keys", "check")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.count("\n  ok       trial     a trial signature verifies by the certificate") == 4
    assert "ok       store     file opens, ecdsa-p256 with sha256" in told.stdout
    lines = signer(live_world.folder, "keys", "check", "--json", "seals/beichen.p12").stdout.splitlines()
    (one,) = (json.loads(line) for line in lines)
    assert one["key_ref"] == "seals/beichen.p12"
    assert {found["part"]: found["health"] for found in one["found"]} == dict.fromkeys(
        ("store", "usage", "validity", "chain", "trial"), "ok"
    )


def test_a_fault_is_named_with_the_next_step_and_the_exit_is_1(live_world: World) -> None:
    (live_world.folder / "keys" / "password").write_text("wrong")
    told = signer(live_world.folder, "keys", "check", "seals/yunzhou.pem")
    assert told.returncode == 1
    assert "error    store" in told.stdout
    assert "the password does not open the key: is the right one in its password file?" in told.stdout
    unknown = signer(live_world.folder, "keys", "check", "nobody")
    assert (unknown.returncode, "no seal in the register has the key" in unknown.stderr) == (1, True)
