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
    assert told.stdout.count("\n  ok       trial     a trial signature verifies by the certificate") == 7
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


def test_a_years_key_for_paper_is_made_once_and_the_list_told_what_to_add(live_world: World) -> None:
    made = signer(live_world.folder, "keys", "paper", "云舟样例汽车股份有限公司", "--year", "2030")
    assert (made.returncode, made.stderr) == (0, "paper/91440000MA0YX01AAY-2030.pem: made\n")
    (entry,) = json.loads(made.stdout)["add"]
    assert (entry["purpose"], entry["uscc"]) == ("paper", "91440000MA0YX01AAY")
    assert (live_world.folder / "keys" / entry["certificate"]).exists()
    again = signer(live_world.folder, "keys", "paper", "91440000MA0YX01AAY", "--year", "2030")
    assert (again.returncode, "is there already" in again.stderr) == (1, True)
