"""Which addresses may be asked: one reading of each, and no way into a private network."""

from __future__ import annotations

import pytest

from signer.outbound import OPERATORS, AddressRefused, tenants
from signer.outbound.addresses import is_public, parse

NOT_PUBLIC = """
    0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 192.0.0.9 192.0.2.1 192.88.99.1
    192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::808:808 100::1
    2001::1 2001:db8::1 2001:20::1 2002:7f00:1:: 2002:808:808::1 3fff::1 5f00::1 fc00::1 fd12:3456::1 fe80::1
    fe80::1%1 fec0::1 ff02::1 ff0e::1 2606:4700::5efe:7f00:1 2606:4700::200:5efe:a00:1
"""
PUBLIC = ("8.8.8.8", "93.184.216.34", "2606:4700:4700::1111", "64:ff9b::808:808")


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
def test_no_special_address_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_somebody_else_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "erp.example.com/hook",
        "//erp.example.com/hook",
        "file:///etc/passwd",
        "gopher://127.0.0.1:25/_HELO",
        "ftp://erp.example.com/",
        "javascript:alert(1)",
        "https://",
        "https:///hook",
        "https://erp.example.com/a b",
        "https://erp.example.com/\r\nHost: x",
        "https://erp.example.com\\@127.0.0.1/",
        "https://erp.example.com/#@127.0.0.1/",
        "https://erp.example.com:443x/",
        "https://erp.example.com:99999/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.0.1.1/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://１２７.0.0.1/",
        "https://①②⑦.⓪.⓪.①/",
        "https://erp..example.com/",
        "https://-erp.example.com/",
        "https://erp_%00.example.com/",
        "https://erp.example.com/" + "x" * 500,
    ],
)
def test_what_two_could_read_in_two_ways_is_no_address(url: str) -> None:
    for reach in (OPERATORS, tenants()):
        with pytest.raises(AddressRefused):
            reach.admit(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.example.com/hook",
        "https://user@erp.example.com/",
        "https://erp.example.com@127.0.0.1/",
        "https://:@erp.example.com/",
        "https://erp.example.com:22/",
        "https://erp.example.com:1023/",
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.5:8443/",
    ],
)
def test_a_tenant_names_public_https_alone(url: str) -> None:
    with pytest.raises(AddressRefused):
        tenants().admit(url)
    OPERATORS.admit(url)


def test_a_host_that_the_operator_allows_is_asked_at_the_port_named_alone() -> None:
    reach = tenants(["ERP.internal:8080", "10.0.0.5"])
    for url in (
        "http://erp.internal:8080/hook",
        "https://ERP.internal.:8080/",
        "http://10.0.0.5/",
        "https://10.0.0.5/",
    ):
        assert reach.is_free(reach.admit(url))
    for url in ("http://erp.internal/", "http://10.0.0.5:8080/", "http://erp.internal:8081/", "http://10.0.0.6/"):
        with pytest.raises(AddressRefused):
            reach.admit(url)
    with pytest.raises(AddressRefused):
        reach.admit("http://user:secret@erp.internal:8080/hook")
    https_alone = tenants(["10.0.0.5:443"])
    https_alone.admit("https://10.0.0.5/")
    with pytest.raises(AddressRefused):
        https_alone.admit("http://10.0.0.5/")


def test_one_private_address_of_several_refuses_a_name() -> None:
    reach, target = tenants(), parse("https://erp.example.com/")
    reach.refuse(target, ("93.184.216.34", "2606:4700:4700::1111"))
    with pytest.raises(AddressRefused, match="names no public computer"):
        reach.refuse(target, ("93.184.216.34", "10.0.0.5"))
    OPERATORS.refuse(target, ("10.0.0.5",))


def test_an_address_is_read_into_its_parts() -> None:
    found = parse("https://User:p%40ss@ERP.Example.com.:8443/hook?a=1")
    assert (found.scheme, found.host, found.port, found.path) == ("https", "erp.example.com", 8443, "/hook?a=1")
    assert (found.place, found.authorization) == ("erp.example.com:8443", "Basic VXNlcjpwQHNz")
    assert (parse("http://[::1]").place, parse("https://a.example:443").place) == ("[::1]", "a.example")
