"""`signer people`, as an operator runs it: invited, listed, suspended, lifted and reset; no password is ever typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import terminal
from portal import Portal
from world import PEOPLE, YUNZHOU, World

if TYPE_CHECKING:
    import subprocess


def people(world: World, *words: str, mode: str = "test") -> subprocess.CompletedProcess[str]:
    return terminal.run("people", *words, told={"SIGNER_MODE": mode, "SIGNER_DATA_DIR": str(world.folder)})


def test_the_first_operator_is_made_by_a_link_that_is_good_once(live_world: World) -> None:
    made = people(live_world, "create", "op@sample.example", "--name", "值班样例", "--role", "operator")
    assert (made.returncode, "/invitations/" in made.stdout) == (0, True)
    path = "/invitations/" + made.stdout.strip().rpartition("/")[2]
    portal = Portal.of(live_world)
    guest = portal.visitor()
    page = guest.get(path, lang="en").text
    token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
    typed = {"csrf_token": token, "name": "值班样例", "password": "a long word for an operator"}
    assert guest.client.post(path, data=typed).status_code == 303
    assert portal.visitor().get(path).status_code in (404, 410)
    listed = people(live_world, "list").stdout
    assert "op@sample.example" in listed
    assert "operator" in listed


def test_an_account_is_suspended_lifted_and_reset(live_world: World) -> None:
    portal, (preparer, approver) = Portal.of(live_world), PEOPLE[YUNZHOU]
    login = portal.give_password(preparer)
    portal.give_factor(preparer)
    visitor = portal.visitor(preparer)
    assert visitor.get("/account").status_code == 200
    assert people(live_world, "suspend", login).stdout == f"{login}: suspended\n"
    assert visitor.get("/account").status_code == 303
    assert "suspended" in people(live_world, "list").stdout
    assert people(live_world, "suspend", login, "--lift").stdout == f"{login}: active\n"
    assert people(live_world, "reset", login).returncode == 0
    assert f"{login}  {preparer}  active, no second factor" in people(live_world, "list").stdout
    alone = portal.give_password(approver)
    portal.give_factor(approver)
    live_world.give("approver", "zhao.sample")
    refused = people(live_world, "reset", alone)
    assert (refused.returncode, "approver" in refused.stderr) == (1, True)
    assert people(live_world, "reset", alone, "--approved-by", "zhao.sample").returncode == 0
    assert live_world.rows("SELECT recipient, kind FROM mails ORDER BY id") == [
        (login, "factor-reset"),
        (alone, "factor-reset"),
    ]
    assert "the operator of the system decided so" in live_world.rows("SELECT body FROM mails")[0][0]
    assert people(live_world, "suspend", "nobody@sample.example").returncode == 1


def test_outside_test_mode_nobody_is_put_into_a_manufacturer_from_the_command_line(live_world: World) -> None:
    words = ("create", "x@sample.example", "--name", "某样例", "--role", "approver", "--as", YUNZHOU)
    refused = people(live_world, *words, mode="production")
    assert (refused.returncode, "in the portal" in refused.stderr) == (1, True)
    assert people(live_world, *words).returncode == 0
    assert live_world.rows("SELECT recipient FROM mails") == [("x@sample.example",)]


@pytest.mark.parametrize(
    ("language", "role", "said"),
    [
        ("zh", ("operator",), "系统运营方邀请您"),
        ("en", ("operator",), "The operator of "),
        ("zh", ("preparer", "--as", YUNZHOU), f"系统运营方 邀请您为{YUNZHOU}"),
        ("en", ("preparer", "--as", YUNZHOU), "the operator of the system invites you to work on"),
    ],
    ids=["operator-zh", "operator-en", "preparer-zh", "preparer-en"],
)
def test_the_link_that_is_printed_is_mailed_too(
    live_world: World, language: str, role: tuple[str, ...], said: str
) -> None:
    words = ("create", "x@sample.example", "--name", "某样例", "--language", language, "--role", *role)
    link = people(live_world, *words).stdout.strip()
    ((recipient, spoken, body),) = live_world.rows("SELECT recipient, language, body FROM mails")
    assert (recipient, spoken) == ("x@sample.example", language)
    assert link in body
    assert said in body
