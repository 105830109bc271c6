"""The reference pages that come from code: command line, settings, errors, verdicts. Run by `make_reference.py`."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from signer import errors, settings
from signer.cli import INTERNAL, INTERRUPTED, REMOTE, cli, console
from signer.domain.verdict import EXITS, Code
from signer.errors import SignerError
from signer.metrics import CATALOGUE
from signer.seal import findings
from signer.verification import wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Row = tuple[str, ...]

_MADE = "Written by `make docs` from {source}: do not edit."


def pages() -> dict[str, str]:
    """Return the pages, by file name."""
    return {
        "cli.md": cli_page(),
        "settings.md": settings_page(),
        "errors.md": errors_page(),
        "verdicts.md": verdicts_page(),
        "metrics.md": metrics_page(),
    }


def _page(title: str, source: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", _MADE.format(source=source), *(part.strip("\n") for part in parts))) + "\n"


def _table(head: Row, rows: Iterable[Row]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def _code(text: str) -> str:
    return f"`{text}`"


def _plain(docstring: str | None) -> str:
    return " ".join(inspect.cleandoc(docstring or "").split())


# The command line


def cli_page() -> str:
    """Return docs/reference/cli.md."""
    intro = """
Run as `signer COMMAND` or `python -m signer COMMAND`. Results go to standard output, findings and errors to
standard error. Settings come from the environment: [settings](settings.md).
"""
    return _page("Command line", "`signer/cli`", intro, _exits(), *_commands(cli, "signer"), *_remote())


def _remote() -> Iterator[str]:
    """Return what is asked of another deployment."""
    context = click.Context(cli, info_name="signer")
    context.params["remote"] = "URL"
    rows = [_option(option) for option in cli.params if option.name in {"remote", "token_file"}]
    note = """
`signer --remote URL issue` and `signer --remote URL verify` ask the [API](api.md) of another deployment, without any of
one's own: same words, same exits. No setting is read but the two that stand here. A token is never given on the command
line, where other users of the computer would read it; it goes over https, or to this computer, and nowhere else.
"""
    yield "\n\n".join(("## signer --remote", note.strip(), _table(("option", "value", "meaning"), rows)))
    for name in REMOTE:
        command = cli.get_command(context, name)
        assert command is not None, name
        yield from _commands(command, f"signer --remote URL {name}")


def _exits() -> str:
    colours = sorted((code, colour.value) for colour, code in EXITS.items())
    rows: list[Row] = [(str(code), f"a verdict: {colour}") for code, colour in colours]
    rows[0] = ("0", "done; a verdict: green")
    rows[1] = ("1", "refused, with the reason on standard error; a verdict: red, on standard output")
    rows += [
        (str(console.USAGE), "wrong use of the command line"),
        (str(INTERNAL), "a defect of ours: an incident id is printed, the cause is in the log"),
        (str(INTERRUPTED), "interrupted"),
    ]
    notes = """
Verdicts are what `verify` and `lookup` answer. `verify` with several files exits with the worst of red, grey, amber,
blue, green, in this order. A green answer about a TEST seal exits 3, unless `--allow-test` is given. The codes are in
[verdicts](verdicts.md), the words in square brackets after an error in [errors](errors.md).
"""
    return "\n\n".join(("## Exit codes", _table(("exit", "meaning"), rows), notes.strip()))


def _commands(command: click.Command, name: str) -> Iterator[str]:
    context = click.Context(command, info_name=name)
    if isinstance(command, click.Group):
        for child_name in sorted(command.list_commands(context)):
            child = command.get_command(context, child_name)
            assert child is not None, child_name
            yield from _commands(child, f"{name} {child_name}")
        return
    usage = f"{name} {' '.join(command.collect_usage_pieces(context))}"
    arguments = [option for option in command.params if isinstance(option, click.Option)]
    rows = [_option(option) for option in arguments]
    table = _table(("option", "value", "meaning"), rows) if rows else ""
    yield "\n\n".join(filter(None, (f"## {name}", _plain(command.help), f"```text\n{usage}\n```", table)))


def _option(option: click.Option) -> Row:
    notes = []
    if option.required:
        notes.append("Required.")
    if option.show_default and option.default is not None:
        notes.append(f"Default: {option.default}.")
    return _code(", ".join(option.opts)), _value(option), " ".join((option.help or "", *notes)).strip()


def _value(option: click.Option) -> str:
    if option.is_flag:
        return ""
    if isinstance(option.type, click.Choice):
        return ", ".join(_code(str(choice)) for choice in option.type.choices)
    return _code(option.metavar or option.type.name.upper())


# Settings


def settings_page() -> str:
    """Return docs/reference/settings.md."""
    intro = f"""
Read from the environment, once, when a command starts. Every name begins with `{settings.PREFIX}`; a name that is
not in this table is refused, so that nothing can be misspelt. Nothing is read from `.env` files. No setting holds
a secret: the password of key files is a file named `password` in the folder of keys, and keys elsewhere name the files
of their PINs and secrets in [descriptors](formats.md#key-descriptors);
the mail server's password is in a file of its own.
"""
    told = _field_docstrings(settings.Settings)
    rows = [
        (_code(settings.PREFIX + name.upper()), _type(str(field.annotation)), _default(field.default), told[name])
        for name, field in settings.Settings.model_fields.items()
    ]
    production = """
## In production

`SIGNER_MODE=production` refuses to seal while `SIGNER_BASE_URL` is missing, local, not `https` or more than a plain
address, because it is printed on every confirmation; while `SIGNER_TSA_URLS` is empty; and at all times with a
trust list that is marked TEST.
"""
    table = _table(("name", "value", "default", "meaning"), rows)
    return _page("Settings", "`signer/settings.py`", intro, table, production)


def _field_docstrings(cls: type) -> dict[str, str]:
    """Return the string that follows each annotated field of a class."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, text in zip(body.body, body.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            assert isinstance(field.target, ast.Name)
            found[field.target.id] = _plain(str(text.value.value))
    return found


def _type(annotation: str) -> str:
    if annotation.startswith("typing.Literal["):
        choices = ast.literal_eval(annotation.removeprefix("typing.Literal"))
        return ", ".join(map(_code, choices))
    return "path" if "Path" in annotation else "text"


def _default(value: object) -> str:
    return "" if value in (None, "") else _code(str(value))


# Errors


def errors_page() -> str:
    """Return docs/reference/errors.md."""
    intro = """
Everything that `signer` refuses or fails to do, knowingly, is one of these. The code is stable and never
translated: the command line prints it in square brackets. Anything else that goes wrong is a defect: it is logged
under an incident id, and nothing of it is shown. A verdict is not an error: `verify` answers about every file.
"""
    _import_where_errors_are()
    rows = [
        (f"{'&nbsp;' * 4 * depth}{_code(cls.code)}", _plain(cls.__doc__), _code(cls.__module__))
        for depth, cls in _tree(SignerError, 0)
    ]
    return _page("Errors", "the tree under `signer/errors.py`", intro, _table(("code", "meaning", "module"), rows))


def _import_where_errors_are() -> None:
    names = "|".join(name for name, value in vars(errors).items() if isinstance(value, type))
    defines = re.compile(rf"^class \w+\((?:{names})\)", re.MULTILINE)
    root = Path(errors.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if defines.search(path.read_text(encoding="utf-8")):
            importlib.import_module(
                ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")
            )


def _tree(cls: type[SignerError], depth: int) -> Iterator[tuple[int, type[SignerError]]]:
    yield depth, cls
    ours = (child for child in cls.__subclasses__() if child.__module__.startswith("signer.") and "code" in vars(child))
    for child in sorted(ours, key=lambda child: child.code):
        yield from _tree(child, depth + 1)


# Verdicts


def verdicts_page() -> str:
    """Return docs/reference/verdicts.md."""
    intro = """
A verdict has one code, and lists every check that led to it. The first code of this table that any check argues for
wins: a proven failure outranks an earlier doubt ([ADR 0004](../adr/0004-a-failure-outranks-a-doubt.md)). Codes,
reasons and check ids are ASCII; they are never translated and never used again for something else. Words in
{braces} are filled in.

`outcome` follows the colour and is closed for ever: green `pass`, amber and blue `review`, red `fail`, grey `none`.
A program that meets another word must treat it as `fail`. Some codes speak of other subjects than a file: a record that
was looked up, a code on paper, an official copy. No check argues for `TEST_ONLY`: in production it stands for every
answer below it about a TEST seal, and `would_be` holds that answer.
"""
    return _page(
        "Verdicts",
        "`signer/domain/verdict.py`, `signer/verification/wording.py` and `signer/seal/findings.py`",
        intro,
        "## Codes",
        _table(("code", "colour, exit", "banner", "sentence"), map(_verdict, Code)),
        "## Checks\n\nEach is answered `passed`, `failed` or `undetermined`; what could not be checked is never fine. "
        "Clauses,\nsub-indications and codes of each: [EN 319 102-1 in our words](en-319-102-1.md).",
        _table(("id", "中文", "English", "asked by"), _checks()),
        "## Reasons\n\nWhy a code was chosen (`reason`), or what else must be told (`notices`). "
        "A check id in capitals, such as `SEAL_FORM`, may stand here too: the check that did not pass.",
        _table(
            ("reason", "中文", "English"), ((_code(word), *wording.REASONS[word]) for word in sorted(wording.REASONS))
        ),
    )


def _verdict(code: Code) -> Row:
    zh, en = wording.SENTENCES[code]
    banner = f"{wording.banner(code, 'zh')}<br>{wording.banner(code, 'en')}"
    return _code(code.value), f"{code.colour.value} {EXITS[code.colour]}", banner, f"{zh}<br>{en}"


def _checks() -> Iterator[Row]:
    for which, question in findings.QUESTIONS.items():
        yield _code(which.value), question.zh, question.en, f"seal, {question.part.value}"
    for name, (zh, en) in wording.QUESTIONS.items():
        yield _code(name), zh, en, "verification"


def metrics_page() -> str:
    """Return docs/reference/metrics.md."""
    intro = """
`/metrics` tells them in Prometheus' text to the networks that `SIGNER_METRICS_NETWORKS` names; others find no such
page. What is *counted* is added up over all processes of the host, those included that have ended since; gauges of a
process have the labels `role` (web, worker, cli) and `pid`. What is *looked up* is asked when somebody reads the page,
and missing where it cannot be known. No label names a person, a confirmation or a vehicle. Rules that alarm:
[alerts.yml](../../deploy/alerts.yml).
"""
    rows = (
        (
            _code(metric.name),
            metric.kind,
            ", ".join(map(_code, metric.labels)) or "-",
            f"{metric.help}{_buckets(metric.buckets)}",
            "counted" if metric.is_kept else "looked up",
        )
        for metric in CATALOGUE
    )
    return _page(
        "Metrics", "`signer/metrics/catalogue.py`", intro, _table(("name", "kind", "labels", "what", "how"), rows)
    )


def _buckets(ends: tuple[float, ...]) -> str:
    return f" Buckets (s): {', '.join(f'{end:g}' for end in ends)}." if ends else ""


def write(folder: Path) -> None:
    """Write the pages into a folder."""
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).parent / "reference")
