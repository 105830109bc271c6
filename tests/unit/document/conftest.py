"""One renderer for all tests of the page, and the confirmations that it renders."""

from __future__ import annotations

import importlib.util
import sys
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from signer.document.render import Renderer
from signer.paper.symbol import matrix
from signer.resources import templates_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from signer.domain.confirmation import Confirmation

    Rendered = Callable[..., tuple[bytes, Confirmation, bytes]]


def _samples() -> ModuleType:
    spec = importlib.util.spec_from_file_location("document_samples", Path(__file__).with_name("samples.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["document_samples"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def samples() -> ModuleType:
    return _samples()


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    return Renderer(templates_dir(), symbol=partial(matrix, level="Q"))


@pytest.fixture(scope="session")
def rendered(renderer: Renderer, samples: ModuleType) -> Rendered:
    @lru_cache(maxsize=64)
    def render(**changes: object) -> tuple[bytes, Confirmation, bytes]:
        confirmation, encoded = samples.confirmation(**changes)
        return renderer.render(confirmation, encoded=encoded, base_url=samples.BASE_URL), confirmation, encoded

    return render
