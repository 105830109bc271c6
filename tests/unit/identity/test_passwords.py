"""A password costs whoever guesses it what the standard asks for, and fits however its letters are written."""

from __future__ import annotations

import pytest

from signer.identity.passwords import Passwords


@pytest.fixture(scope="module")
def kept() -> str:
    return Passwords().hash("four wörds of a test")


def test_a_password_is_kept_by_the_second_recommended_parameters_of_rfc_9106(kept: str) -> None:
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_the_same_letters_in_another_form_fit_and_others_do_not(kept: str) -> None:
    passwords = Passwords()
    assert passwords.is_right("four wo\u0308rds of a test", kept)
    assert not passwords.is_right("four words of a test", kept)


def test_what_was_hashed_with_less_work_is_stale(kept: str) -> None:
    passwords = Passwords()
    assert not passwords.is_stale(kept)
    assert passwords.is_stale(kept.replace("t=3", "t=1"))
