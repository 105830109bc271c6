"""What is handed out whole: the trust list to anybody, the offline bundle to who checks by office; once a version."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from apps import create_app
from exporting import accept
from world import KAZAKHSTAN, PEOPLE, TIANSHAN, YUNZHOU, sample

from signer.domain.parties import Role
from signer.errors import Misconfigured
from signer.seal import bundle, roots, status_list, trust
from signer.services.bundling import FRESH, Bundling

if TYPE_CHECKING:
    from machine import Machine, Machines
    from world import World


@pytest.fixture
def officer(machines: Machines) -> Machine:
    return machines.of_house("zhao.sample", Role.OFFICER)


def test_the_trust_list_is_anybodys_byte_for_byte_and_is_not_sent_twice(machines: Machines, world: World) -> None:
    browser, published = machines.app.test_client(), world.settings.trust_list_path.read_bytes().strip()
    root = trust.read_root(world.settings.trust_root_path.read_bytes())
    for path in ("/api/v1/trust-list", "/.well-known/trust-list.jws"):
        answer = browser.get(path)
        assert (answer.status_code, answer.content_type, answer.data) == (200, "application/jose", published)
        assert trust.load(answer.data, root=root, at=world.at).test
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Set-Cookie" not in answer.headers
        again = browser.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    world.at += timedelta(days=1)
    world.publish()
    assert browser.get("/api/v1/trust-list", headers={"If-None-Match": answer.headers["ETag"]}).status_code == 200


def test_a_trust_list_that_is_not_to_be_trusted_is_not_handed_out(machines: Machines, world: World) -> None:
    world.settings.trust_list_path.write_bytes(b"a.b.c")
    assert machines.app.test_client().get("/.well-known/trust-list.jws").status_code >= 400


def test_the_bundle_is_one_that_a_verifier_believes(officer: Machine, world: World) -> None:
    issued = world.issue(sample(KAZAKHSTAN))
    answer = officer.get("/bundles/offline")
    assert (answer.status_code, answer.content_type) == (200, "application/octet-stream")
    source = BytesIO(answer.data)
    memory = roots.Memory(root=trust.read_root(world.settings.trust_root_path.read_bytes()))
    head = bundle.read_head(source)
    believed = bundle.believe(head, memory, at=world.at)
    lines = [json.loads(line) for _, line in bundle.entries(source, head, believed.header)]
    assert str(issued.number) in {line.get("number") for line in lines}
    assert world.rows("SELECT actor FROM audit WHERE event = 'bundle.taken'") == [("zhao.sample",)]


def test_a_bundle_that_is_known_already_is_neither_made_nor_sent(
    officer: Machine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = officer.get("/bundles/offline")

    def made(*_args: object, **_more: object) -> None:
        raise Misconfigured("it was made again")

    with monkeypatch.context() as patch:
        patch.setattr(Bundling, "make", made)
        again = officer.get("/bundles/offline", headers={"If-None-Match": first.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
        assert officer.get("/bundles/offline").data == first.data
    assert world.rows("SELECT count(*) FROM audit WHERE event = 'bundle.taken'") == [(2,)]
    world.at += FRESH
    later = officer.get("/bundles/offline", headers={"If-None-Match": first.headers["ETag"]})
    assert (later.status_code, later.headers["ETag"] != first.headers["ETag"]) == (200, True)


def test_a_bundle_goes_with_the_trust_list_in_use_and_is_made_again_if_it_was_cut_off(
    officer: Machine, world: World
) -> None:
    first = officer.get("/bundles/offline").headers["ETag"]
    world.at += timedelta(minutes=1)
    world.publish()
    second = officer.get("/bundles/offline")
    assert second.headers["ETag"] != first
    kept = world.settings.data_dir / "offline.bundle"
    kept.write_bytes(kept.read_bytes()[:50])
    world.at += timedelta(seconds=1)
    assert len(officer.get("/bundles/offline").data) == len(second.data)


def test_a_bundle_is_for_officers_and_operators_alone(machines: Machines) -> None:
    accept(machines.world, TIANSHAN, YUNZHOU)
    assert machines.of_house("li.sample", Role.OPERATOR).get("/bundles/offline").status_code == 200
    for other in (
        machines.of_house("wu.sample", Role.AUDITOR),
        machines.of_maker(PEOPLE[YUNZHOU][0], YUNZHOU),
        machines.of_exporter("member.sample", TIANSHAN),
    ):
        answer = other.get("/bundles/offline")
        assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (403, "right-missing")


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("security@signer.example", "mailto:security@signer.example"),
        ("https://signer.example/security", "https://signer.example/security"),
    ],
)
def test_security_txt_names_who_is_told_of_a_weakness(world: World, told: str, shown: str) -> None:
    assert create_app(world.services).test_client().get("/.well-known/security.txt").status_code == 404
    world.overrides["SIGNER_SECURITY_CONTACT"] = told
    world.rewire()
    answer = create_app(world.services, clock=lambda: world.at).test_client().get("/.well-known/security.txt")
    assert (answer.status_code, answer.content_type) == (200, "text/plain; charset=utf-8")
    assert dict(line.split(": ", 1) for line in answer.text.splitlines()) == {
        "Contact": shown,
        "Expires": "2027-02-20T00:00:00Z",
        "Preferred-Languages": "zh, en",
        "Canonical": "http://127.0.0.1:8000/.well-known/security.txt",
    }


def test_a_contact_that_would_be_read_otherwise_is_refused(world: World) -> None:
    for told in ("nobody", "http://signer.example", "https://a.example\nContact: https://b.example"):
        world.overrides["SIGNER_SECURITY_CONTACT"] = told
        with pytest.raises(Misconfigured):
            world.rewire()


def test_status_lists_lie_at_the_address_that_stands_in_them_for_pages_of_any_origin(
    machines: Machines, world: World
) -> None:
    client, services = machines.app.test_client(), world.services
    assert client.get("/.well-known/status/1").status_code == 404
    assert client.get("/.well-known/status").json == {"status_lists": []}
    services.status_lists.sign()
    assert client.get("/.well-known/status").json == {"status_lists": ["http://127.0.0.1:8000/.well-known/status/1"]}
    found = client.get("/.well-known/status/1")
    assert found.mimetype == "application/statuslist+jwt"
    believed = status_list.believe(found.data, services.trust.current(world.at))
    assert (believed.number, believed.list.uri) == (1, "http://127.0.0.1:8000/.well-known/status/1")
    assert found.headers["Access-Control-Allow-Origin"] == "*"
    assert found.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert found.headers["Cache-Control"] == "public, max-age=600"
    known = client.get("/.well-known/status/1", headers={"If-None-Match": found.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")
    world.at += timedelta(minutes=55)
    assert client.get("/.well-known/status/1").headers["Cache-Control"] == "public, max-age=300"
    world.at += timedelta(days=2)
    assert client.get("/.well-known/status/1").headers["Cache-Control"] == "public, max-age=0"


@pytest.mark.parametrize("name", ["0", "01", "2", "1/", "-1", "1.jwt", "100000001", "99999999999999999999", "x"])
def test_there_is_no_list_under_another_name(machines: Machines, world: World, name: str) -> None:
    world.services.status_lists.sign()
    found = machines.app.test_client().get(f"/.well-known/status/{name}")
    assert (found.status_code, found.headers["Cache-Control"]) == (404, "no-store")
