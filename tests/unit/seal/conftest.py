"""One PKI, one blank page and one sealed file for the whole session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from signer.seal import sign
from tests.pki import AT, World, blank_pdf, make_world

if TYPE_CHECKING:
    from signer.seal.sign import Sealed


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("pki") / "keys")


@pytest.fixture(scope="session")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A PKI of somebody else, with the very same subject names."""
    return make_world(tmp_path_factory.mktemp("stranger") / "keys")


@pytest.fixture(scope="session")
def page() -> bytes:
    return blank_pdf()


@pytest.fixture(scope="session")
def sealed(world: World, page: bytes) -> Sealed:
    return sign.seal(
        page, key=world.keys["hengyuan"], timestamper=world.timestamper(), at=AT, evidence=world.evidence()
    )
