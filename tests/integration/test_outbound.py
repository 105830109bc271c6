"""The one way out: whoever steers it reaches no private computer, and nobody holds it for long."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import outside
import pytest
from outside import ERP, PUBLIC, Asked, Canary, Wires

from signer.outbound import OPERATORS, AddressRefused, Client, NotReached, tenants

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRIVATE = ("127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0", "::")
HOSTS = """
    127.0.0.1 127.0.0.1. 127.1 127.0.1 0 0.0.0.0 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001
    localhost localhost. LOCALHOST localhost.localdomain ip6-localhost [::1] [::] [0:0:0:0:0:0:0:1]
    [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [fe80::1%25lo]
    127.0.0.1%00.example.com 127。0。0。1 ①②⑦.⓪.⓪.① １２７.０.０.１ erp.example.com@127.0.0.1
    erp.example.com:443@127.0.0.1 erp.example.com%40127.0.0.1 127.0.0.1\\@erp.example.com
"""
FORMS = (
    "https://{host}:{port}/",
    "http://{host}:{port}/",
    "https://{host}:{port}#@erp.example.com/",
    "gopher://{host}:{port}/_GET",
    "ftp://{host}:{port}/",
    "file://{host}:{port}/etc/hosts",
    "HTTPS://{host}:{port}?x=@erp.example.com",
    "https:{host}:{port}",
    "//{host}:{port}/",
)


@pytest.fixture
def canary() -> Iterator[Canary]:
    with outside.canary() as found:
        yield found


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> outside.Authority:
    folder: Path = tmp_path_factory.mktemp("hosts")
    return outside.authority(folder)


def refused(client: Client, url: str) -> str:
    with pytest.raises(NotReached) as caught:
        client.post(url, b"{}", headers={})
    return str(caught.value)


@pytest.mark.parametrize("host", HOSTS.split())
def test_no_way_of_writing_an_address_leads_a_tenant_to_the_loopback(canary: Canary, host: str) -> None:
    client = Client(tenants(), total_s=2)
    for form in FORMS:
        refused(client, form.format(host=host, port=canary.port))
    assert canary.hits == 0


@pytest.mark.parametrize("address", PRIVATE)
def test_no_name_leads_a_tenant_to_a_private_address(canary: Canary, address: str) -> None:
    for answers in ((address,), (PUBLIC, address), (address, PUBLIC)):
        wires = Wires(names={ERP: [answers]})
        told = refused(Client(tenants(), network=wires, total_s=2), f"https://{ERP}:{canary.port}/")
        assert (told, wires.connected) == (f"{ERP} names no public computer", [])
    assert canary.hits == 0


def test_a_name_that_leads_elsewhere_the_second_time_is_looked_up_once(
    canary: Canary, authority: outside.Authority
) -> None:
    with outside.serving(lambda _: (200, {}, b"ok"), tls=authority.proving) as port:
        wires = Wires(names={ERP: [(PUBLIC,), ("127.0.0.1",)]}, machines={PUBLIC: port})
        client = Client(tenants(), network=wires, tls=authority.believing)
        url = f"https://{ERP}:{canary.port}/"
        assert client.post(url, b"{}", headers={}).body == b"ok"
        assert (wires.asked, wires.connected) == ([ERP], [PUBLIC])
        assert "names no public computer" in refused(client, url), "and each request looks anew"
        assert (wires.connected, canary.hits) == ([PUBLIC], 0)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_that_leads_nowhere(canary: Canary, authority: outside.Authority, status: int) -> None:
    where = {"Location": f"http://127.0.0.1:{canary.port}/", "Refresh": f"0; url=http://127.0.0.1:{canary.port}/"}
    with outside.serving(lambda _: (status, where, b""), tls=authority.proving) as port:
        wires = Wires(names={ERP: [(PUBLIC,)]}, machines={PUBLIC: port})
        client = Client(tenants(), network=wires, tls=authority.believing)
        assert client.post(f"https://{ERP}/", b"{}", headers={}).status == status
    assert canary.hits == 0


def test_the_environments_proxies_are_not_asked(
    canary: Canary, authority: outside.Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")
    with outside.serving(lambda _: (200, {}, b"ok"), tls=authority.proving) as port:
        wires = Wires(names={ERP: [(PUBLIC,)]}, machines={PUBLIC: port})
        client = Client(tenants(), network=wires, tls=authority.believing)
        assert client.post(f"https://{ERP}/", b"{}", headers={}).body == b"ok"
    assert canary.hits == 0


def test_the_canary_is_heard_when_it_is_hit(canary: Canary) -> None:
    refused(Client(OPERATORS, total_s=2), f"http://127.0.0.1:{canary.port}/")
    refused(Client(tenants([f"localhost:{canary.port}"]), total_s=2), f"http://localhost:{canary.port}/")
    assert canary.hits >= 2


def test_a_host_proves_the_name_that_was_asked_for(authority: outside.Authority) -> None:
    heard: list[Asked] = []

    def hear(asked: Asked) -> outside.Reply:
        heard.append(asked)
        return 204, {}, b""

    authority.seen.clear()
    with outside.serving(hear, tls=authority.proving) as port:
        wires = Wires(
            names={ERP: [(PUBLIC,)], "other.example.com": [(PUBLIC,)]}, machines={PUBLIC: port, "8.8.8.8": port}
        )
        client = Client(tenants(), network=wires, tls=authority.believing)
        assert client.post(f"https://{ERP}:8443/in?a=1", b"{}", headers={"X-Own": "1"}).status == 204
        assert authority.seen == [ERP]
        for url in ("https://other.example.com/", "https://8.8.8.8/"):
            assert "certificate is not believed" in refused(client, url)
        stranger = Client(tenants(), network=wires)
        assert "certificate is not believed" in refused(stranger, f"https://{ERP}/")
    (asked,) = heard
    assert (asked.path, asked.body) == ("/in?a=1", b"{}")
    assert (asked.headers["host"], asked.headers["accept-encoding"]) == (f"{ERP}:8443", "identity")
    assert asked.headers["x-own"] == "1"


@contextmanager
def speaking(*parts: bytes, pause_s: float = 0.0) -> Iterator[str]:
    """Say these bytes to whoever comes, the last of them for ever with pauses, whatever was asked."""
    stop = threading.Event()

    def say(connected: socket.socket) -> None:
        with connected:
            try:
                connected.recv(65536)
                for part in itertools.chain(parts, itertools.repeat(parts[-1])):
                    if stop.wait(pause_s):
                        return
                    connected.sendall(part)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.05)

        def accept() -> None:
            while not stop.is_set():
                try:
                    connected, _ = listening.accept()
                except TimeoutError:
                    continue
                connected.settimeout(5)
                say(connected)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            stop.set()
            thread.join()


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
        (HEAD, b"X-Slow: 1\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 100 Continue\r\n\r\n",),
        (b"H", b""),
    ],
    ids=["body", "head", "chunks", "continue", "silence"],
)
def test_whoever_trickles_is_given_up_as_a_whole(parts: tuple[bytes, ...]) -> None:
    with speaking(*parts, pause_s=0.02) as url:
        began = time.monotonic()
        assert "no answer within 0.3 s" in refused(Client(OPERATORS, total_s=0.3), url)
        assert time.monotonic() - began < 5, "each byte came in time, all of them never"


@pytest.mark.parametrize(
    "parts",
    [
        (HEAD + b"Content-Length: 2000001\r\n\r\n", b"x" * 65536),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        (HEAD + b"Connection: close\r\n\r\n", b"x" * 65536),
        (HEAD, b"X-Long: " + b"x" * 60000 + b"\r\n"),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"x" * 60000 + b"\r\nx\r\n"),
    ],
    ids=["length", "chunks", "until the end", "head", "extensions"],
)
def test_an_endless_answer_is_left(parts: tuple[bytes, ...]) -> None:
    with speaking(*parts) as url:
        assert "the answer " in refused(Client(OPERATORS, total_s=8), url)


def test_a_packed_answer_is_not_unpacked() -> None:
    packed = gzip.compress(bytes(10_000_000))
    with outside.serving(lambda _: (200, {"Content-Encoding": "gzip"}, packed)) as port:
        assert "compressed" in refused(Client(OPERATORS), f"http://127.0.0.1:{port}/")


def test_an_answer_that_breaks_off_is_none() -> None:
    with outside.serving(lambda _: (200, {"Content-Length": "9", "Connection": "close"}, b"short")) as port:
        assert "breaks off" in refused(Client(OPERATORS), f"http://127.0.0.1:{port}/")


def test_nonsense_is_no_answer() -> None:
    for said in (b"\x00" * 100, b"HTTP/9.9 9\r\n\r\n", HEAD + b"Content-Length: -5\r\n\r\n"):
        with speaking(said) as url:
            refused(Client(OPERATORS, total_s=1), url)


def test_a_name_server_that_is_silent_holds_nobody_for_longer() -> None:
    gate = threading.Event()

    class Silent(Wires):
        def resolve(self, host: str, port: int, *, within_s: float) -> tuple[str, ...]:
            gate.wait(within_s)
            raise TimeoutError

    assert "no answer within 0.2 s" in refused(Client(tenants(), network=Silent(), total_s=0.2), f"https://{ERP}/")


def test_whom_the_operator_named_is_asked_over_one_connection() -> None:
    places: list[int] = []

    def hear(asked: Asked) -> outside.Reply:
        places.append(threading.get_ident())
        return 200, {} if len(places) < 3 else {"Connection": "close"}, b"ok"

    with outside.serving(hear) as port:
        wires = Wires()
        client = Client(OPERATORS, network=wires)
        for _ in range(5):
            assert client.get(f"http://127.0.0.1:{port}/").body == b"ok"
    assert len(wires.connected) == 3, "one for three requests, then one each, because the server says so"


def test_a_tenants_refusal_is_told_apart_from_silence(canary: Canary) -> None:
    with pytest.raises(AddressRefused):
        Client(tenants()).get(f"https://127.0.0.1:{canary.port}/")
