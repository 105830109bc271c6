"""A door lets in whom it names: guests sign in first, strangers find nothing, forms that are not ours do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import BEICHEN, PEOPLE, YUNZHOU, sample

from signer.web.portal.doors import safe_next

if TYPE_CHECKING:
    from portal import Portal, Visitor

USCC = {maker["record"]["legal_name"]: maker["record"]["uscc"] for maker in sample("register")["manufacturers"]}
CHEN = PEOPLE[YUNZHOU][0]


def test_a_guest_is_sent_to_sign_in_and_back(portal: Portal) -> None:
    answer = portal.visitor().get(f"/portal/{USCC[YUNZHOU]}?x=1")
    assert (answer.status_code, answer.location) == (303, f"/sign-in?next=/portal/{USCC[YUNZHOU]}%3Fx%3D1")


def test_who_works_for_one_manufacturer_is_led_to_its_desk(chen: Visitor) -> None:
    assert chen.get("/portal").location == f"/portal/{USCC[YUNZHOU]}"
    assert YUNZHOU in chen.get(f"/portal/{USCC[YUNZHOU]}").text


def test_another_manufacturers_pages_are_not_there(chen: Visitor) -> None:
    for uscc in (USCC[BEICHEN], "91350100M000100Y43", "nonsense"):
        assert chen.get(f"/portal/{uscc}").status_code == 404


@pytest.mark.parametrize(
    "typed",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "javascript:alert(1)",
        "/a\nb",
        "",
        "x",
        "//[",
    ],
)
def test_nobody_is_sent_to_another_site(typed: str) -> None:
    assert safe_next(typed) == "/portal"


@pytest.mark.parametrize("room", ["/invitations/", "/sign-up/", "/outlet-link/", "/status/nothing/", "/nothing/"])
def test_no_log_holds_the_secret_of_a_link(portal: Portal, capsys: pytest.CaptureFixture[str], room: str) -> None:
    secret = "5ec2e7" * 10 + "beef"
    portal.visitor().get(f"{room}{secret}")
    printed = "".join(capsys.readouterr())
    assert "request.answered" in printed
    assert secret not in printed


def test_the_public_pages_and_the_api_set_no_cookie(portal: Portal) -> None:
    for path in ("/verify", "/api/v1/openapi.json", "/healthz"):
        assert "Set-Cookie" not in portal.visitor().get(path).headers
