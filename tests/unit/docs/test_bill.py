"""The bill of materials and the table of licences: every package that runs, each with a licence that may be shipped."""

from __future__ import annotations

import json

import bill

ALLOWED = ("MIT", "BSD", "Apache", "MPL", "Mozilla Public", "PSF", "Python Software Foundation", "OFL", "LGPL", "ISC")
"""What our own licence (Apache-2.0) may be handed on with: LGPL and MPL for libraries that are used unchanged."""


def parts() -> tuple[bill.Package, ...]:
    return bill.packages(bill.LOCK.read_text(encoding="utf-8"), bill.of_installed())


def test_every_package_of_the_lock_is_named_and_says_a_licence_that_may_be_shipped() -> None:
    found = parts()
    elsewhere = bill.locked(bill.LOCK.read_text(encoding="utf-8")).keys() - {part.name for part in found}
    assert elsewhere <= {"deprecated", "colorama"}, "not installed here, and not for another Python or system"
    assert [part.name for part in found if not any(word in part.licence for word in ALLOWED)] == []


def test_the_bill_is_cyclonedx_with_a_name_and_a_licence_each_and_the_same_each_time() -> None:
    text = bill.bill("1.0", parts())
    assert text == bill.bill("1.0", parts())
    told = json.loads(text)
    assert (told["bomFormat"], told["specVersion"]) == ("CycloneDX", "1.6")
    refs = [part["bom-ref"] for part in told["components"]]
    assert len(refs) == len(set(refs)) > 60
    assert told["dependencies"][0]["dependsOn"] == refs
    assert all(part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}" for part in told["components"])
    assert all(part["licenses"][0]["license"]["name"] != "unknown" for part in told["components"])


def test_another_version_than_the_lock_names_is_no_part_of_it() -> None:
    assert bill.packages("click==0.1 \\\n    --hash=sha256:00\n", bill.of_installed()) == ()


def test_a_package_that_says_nothing_is_told_by_the_text_of_its_licence() -> None:
    assert {part.name: part.licence for part in parts()}["huey"] == "MIT"
