"""
The web application for tests, made a thousand times a run: what is the same in each is compiled once a process.

These are the code of the templates, kept by their content, what Werkzeug makes of a rule's words, the phrases as they
were read, the page that verifies paper, and what each operation of the API says of itself.
Everything else is made anew, as a server makes it when it starts.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from jinja2 import BytecodeCache
from werkzeug.routing import Rule

from signer.web import app as web
from signer.web import languages, paper_page
from signer.web.machines.describing import Doc

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask
    from jinja2.bccache import Bucket

_RULES: dict[tuple[object, ...], dict[str, Any]] = {}
_compile = Rule.compile
_SAID: dict[str, dict[str, Any]] = {}
_say = Doc.keywords


class _Compiled(BytecodeCache):
    """Templates that were compiled, in memory; a bucket knows when its template is another."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def _compiled(rule: Rule) -> None:
    """Compile a rule, or give it what was made of the same words: all but the two functions that are bound to it."""
    words = (rule.rule, rule.host, rule.subdomain, rule.merge_slashes, repr(rule.defaults))
    if words not in _RULES:
        _compile(rule)
        made = {name: getattr(rule, name) for name in ("_parts", "_trace", "_converters", "arguments")}
        _RULES[words] = {**made, "writers": [rule._build.__func__, rule._build_unknown.__func__]}  # type: ignore[attr-defined]
        return
    kept = _RULES[words]
    rule._parts, rule._trace, rule._converters = kept["_parts"], kept["_trace"], kept["_converters"]
    rule.arguments = set(kept["arguments"])
    rule._build, rule._build_unknown = (writer.__get__(rule, None) for writer in kept["writers"])


_phrases = cache(languages.read_phrases)


_DRAWN: dict[tuple[Path, str], paper_page.Drawing] = {}
_Drawing = paper_page.Drawing


def _drawing(folder: Path, *, phrases: Any, base_url: str) -> paper_page.Drawing:
    """Return what draws the page for paper: phrases are the same for all, and a list that is another is drawn anew."""
    if (folder, base_url) not in _DRAWN:
        _DRAWN[folder, base_url] = _Drawing(folder, phrases=phrases, base_url=base_url)
    return _DRAWN[folder, base_url]


def _said(doc: Doc, name: str, *more: Any, **options: Any) -> dict[str, Any]:
    """Return what an operation says of itself; its name is its own."""
    if name not in _SAID:
        _SAID[name] = _say(doc, name, *more, **options)
    return _SAID[name]


def create_app(services: Any, **more: Any) -> Flask:
    """Return the application over services, as `signer.web.app` makes it."""
    with (
        patch.object(Rule, "compile", _compiled),
        patch.object(Doc, "keywords", _said),
        patch.object(languages, "read_phrases", _phrases),
        patch.object(paper_page, "Drawing", _drawing),
    ):
        made = web.create_app(services, **more)
    made.jinja_env.bytecode_cache = _COMPILED
    return made
