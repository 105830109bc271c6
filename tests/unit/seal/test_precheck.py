"""What is refused before any parser sees it, and what is not."""

from __future__ import annotations

import time

import pytest

from signer.seal import precheck
from tests.pki import blank_pdf

END = b"\nstartxref\n9\n%%EOF\n"


def refused(body: bytes) -> str:
    found = precheck.refusal(b"%PDF-1.7\n" + body + END)
    return found.detail if found else ""


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"trailer << /Size 100001 >>", "objects"),
        (b"trailer <</Params <<>> /Size 100001 >>", "objects"),
        (b"<< /Params << /Size 100001 >> >> trailer << /Size 9 >>", ""),
        (b"<< /Params << /CheckSum <00FF> /Size 350000 /ModDate (x) >> >>", ""),
        (b"<< /Params\n<< /ModDate (D:20261122030000Z)\n/Size 350000 >> >>", ""),
        (b"<< /FT /Tx >>" * 5000, ""),
        (b"<< /FT /Tx >>" * 5001, "fields"),
    ],
)
def test_a_table_has_a_largest_size_and_an_attached_file_its_own(body: bytes, says: str) -> None:
    assert says in refused(body)
    assert bool(says) is bool(refused(body))


def test_a_content_of_hundreds_of_kilobytes_is_not_taken_for_a_large_table() -> None:
    assert precheck.refusal(blank_pdf(content=b'{"a":"' + b"x" * 300_000 + b'"}')) is None


def test_a_number_too_long_is_found_wherever_it_begins_and_inside_of_tables() -> None:
    table = b"0000217933 00000 n \n" * 9
    for place in range(13):
        for behind in (b" ", table, b"12 0 R\n"):
            assert "digits" in refused(table + b" " * place + b"9" * 65 + behind)
            assert not refused(table + b" " * place + b"9" * 64 + b" " + behind)
            assert not refused(table + b" " * place + b"<A" + b"0" * 90 + b">" + behind)
            assert "digits" in refused(b"<A" + b"0" * 90 + b">" + b" " * place + b"9" * 65 + behind)


def test_numbers_that_are_none_do_not_keep_anybody_busy() -> None:
    begun = time.process_time()
    assert precheck.number_in(b"22222-22222-2222 " * 1_000_000) is None
    assert time.process_time() - begun < 1
    assert precheck.number_in(b"22222-22222-2222 " * 9 + b"80WPP-ER5SC-MKR8") is not None


@pytest.mark.parametrize("unit", [b"/Params <<", b"/Params << /Size ", b"/Size 1 ", b"/Contents <", b"<" + b"a" * 511])
def test_nothing_that_is_repeated_keeps_the_parent_busy(unit: bytes) -> None:
    body = unit * (5_000_000 // len(unit))
    begun = time.process_time()
    refused(body)
    precheck.claims_ours(body, [b"x" * 800])
    assert time.process_time() - begun < 2
