"""
Seal the samples with TEST seals, tamper with a copy, verify everything, and print what came out.

Run by `make demo`. Everything is made anew in `.demo/`; nothing in it has any effect. At the end it serves the
verify page until Ctrl-C. `--once` is for machines: no page at the end, exit 0 only if every verdict is as it must be.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import unicodedata
import urllib.parse
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyotp

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / ".demo"
SAMPLES = ROOT / "docs" / "samples"
NUMBERS: dict[str, str] = {}
SETTINGS = {"SIGNER_MODE": "test", "SIGNER_DATA_DIR": str(DEMO / "data")}
_RELATIVE = re.compile(r'"today([+-][0-9]{1,5})"')


def environment() -> dict[str, str]:
    """Return the machine's environment with the demonstration's settings and no others."""
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("SIGNER_")}
    return {**clean, **SETTINGS, "PYTHONUTF8": "1"}


def signer(*arguments: str, may_exit: tuple[int, ...] = (0,)) -> str:
    """Run the command line as a user would, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "signer", *arguments],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in may_exit:
        sys.stderr.write(done.stdout + done.stderr)
        sys.exit(f"demo: `signer {' '.join(arguments)}` ended with {done.returncode}")
    return done.stdout


def with_real_dates(text: str) -> str:
    """Put real dates for `"today-82"`: the samples never age."""
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    return _RELATIVE.sub(lambda match: f'"{today + timedelta(days=int(match[1]))}"', text)


def set_up() -> None:
    """Make register, keys and parties in an empty folder."""
    shutil.rmtree(DEMO, ignore_errors=True)
    (DEMO / "drafts").mkdir(parents=True)
    for sample in sorted(SAMPLES.glob("*.json")):
        target = DEMO / ("register.json" if sample.name == "register.json" else f"drafts/{sample.name}")
        target.write_text(with_real_dates(sample.read_text(encoding="utf-8")), encoding="utf-8")
    signer("db", "upgrade")
    signer("load-parties", str(DEMO / "register.json"))
    signer("make-test-pki", str(ROOT / "keys.example" / "pki.yaml"))


def people() -> dict[str, tuple[str, str]]:
    """Return preparer and approver of each manufacturer, by legal name."""
    parties = json.loads((DEMO / "register.json").read_text(encoding="utf-8"))
    found = {}
    for maker in parties["manufacturers"]:
        mine = [member for member in parties["memberships"] if member["manufacturer"] == maker["record"]["uscc"]]
        roles = {role: member["person"] for member in mine for role in member["roles"]}
        found[maker["record"]["legal_name"]] = (roles["preparer"], roles["approver"])
    return found


def issue() -> dict[str, Path]:
    """Seal every draft; return the files that came out, by the drafts' names."""
    made, drafts = {}, defaultdict(list)
    for draft in sorted((DEMO / "drafts").glob("*.json")):
        drafts[json.loads(draft.read_text(encoding="utf-8"))["manufacturer"]].append(draft)
    for maker, mine in drafts.items():
        made |= sealed(signer("issue", *map(str, mine), *as_maker(maker), "--out", str(DEMO / "sealed")))
    return dict(sorted(made.items()))


def as_maker(maker: str) -> tuple[str, ...]:
    """Return the options that say who seals."""
    preparer, approver = people()[maker]
    return ("--as", maker, "--preparer", preparer, "--approver", approver)


def sealed(said: str) -> dict[str, Path]:
    """Read what `signer issue` printed, and give each file its draft's name."""
    found = {}
    for line in said.splitlines():
        draft, made = line.split(": ", 1)[0], Path(line.rsplit(" -> ", 1)[1])
        name = Path(draft).stem
        found[name] = made.rename(made.with_name(f"{name}.pdf"))
        NUMBERS[name] = made.stem
    return found


def live(made: dict[str, Path]) -> dict[Path, str]:
    """Withdraw, supersede and partly supersede three of them; return every file with the verdict it must get."""
    expected = dict.fromkeys(made.values(), "VALID")
    withdrawn, whole, part = (name for name in made if "-to-be-" in name)
    draft = json.loads((DEMO / "drafts" / f"{withdrawn}.json").read_text(encoding="utf-8"))
    maker = draft["manufacturer"]
    by, second = people()[maker]
    agreed = ("--as", maker, "--by", by, "--second", second, "--reason", "sale-fell-through")
    signer("withdraw", NUMBERS[withdrawn], *agreed)
    expected[made[withdrawn]] = "WITHDRAWN"
    for name, kept, code in ((whole, slice(None), "SUPERSEDED"), (part, slice(2, None), "PARTLY_SUPERSEDED")):
        changed = json.loads((DEMO / "drafts" / f"{name}.json").read_text(encoding="utf-8"))
        changed["vehicles"] = changed["vehicles"][kept]
        changed["destination"] = {"country": "AE", "port": "Jebel Ali"}
        successor = DEMO / f"{name.replace('to-be', 'successor-of')}.json"
        successor.write_text(json.dumps(changed, ensure_ascii=False, indent=2), encoding="utf-8")
        options = (*as_maker(maker), "--out", str(DEMO / "sealed"))
        (newer,) = sealed(signer("supersede", NUMBERS[name], str(successor), *options)).values()
        expected |= {made[name]: code, newer: "VALID"}
    return expected


def tamper(sealed: Path) -> dict[Path, str]:
    """Make copies that are not as they were sealed."""
    folder = DEMO / "tampered"
    folder.mkdir()
    data = sealed.read_bytes()
    middle = len(data) // 2
    copies = {
        "one-byte-changed.pdf": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "one-byte-appended.pdf": data + b" ",
    }
    for name, changed in copies.items():
        (folder / name).write_bytes(changed)
    return dict.fromkeys((folder / name for name in copies), "ALTERED")


def check(expected: dict[Path, str], base_url: str) -> bool:
    """Verify every file by command line and over HTTP, print the table, and tell whether all is as it must be."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        over_web = pool.map(lambda path: post(path, base_url), expected)
        said = signer("verify", "--json", *map(str, expected), may_exit=(0, 1, 2, 3, 4))
        answers = dict(zip(expected, over_web, strict=True))
    verdicts = {Path(line["file"]): line for line in map(json.loads, said.splitlines())}
    rows, is_right = [("file", "number", "command line", "HTTP", "must be", "sealed by")], True
    for path, must in expected.items():
        verdict, over_http = verdicts[path], answers[path]
        maker = verdict["issuer"]["name"] if verdict["issuer"] else "-"
        test = " (TEST)" if verdict["test"] else ""
        told = (verdict["code"] + test, over_http["code"] + (" (TEST)" if over_http["test"] else ""))
        rows.append((str(path.relative_to(ROOT)), verdict["number"] or "-", *told, must, maker))
        is_right = is_right and verdict["code"] == over_http["code"] == must
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)).rstrip())
    return is_right


def post(path: Path, base_url: str) -> dict[str, Any]:
    """Verify a file over HTTP."""
    address = f"{base_url}/api/v1/verify"
    request = urllib.request.Request(address, path.read_bytes(), {"Content-Type": "application/pdf"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


class Browser:
    """A browser without a window: keeps cookies, and sends a page's own form back."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())

    def get(self, path: str) -> str:
        """Return a page."""
        with self._opener.open(self._base_url + path, timeout=60) as answer:
            return str(answer.read().decode())

    def send(self, path: str, page: str, **fields: str) -> str:
        """Send a form of a page, and return where it leads."""
        (token,) = set(re.findall(r'name="csrf_token" value="([^"]+)"', page))
        body = urllib.parse.urlencode({"csrf_token": token, **fields}).encode()
        with self._opener.open(self._base_url + path, body, timeout=60) as answer:
            return str(answer.read().decode())


def sign_up(base_url: str, maker: str, login: str, name: str, role: str) -> tuple[str, str]:
    """Accept an invitation as a person would, with a password and an authenticator app; return both secrets."""
    link = signer("people", "create", login, "--name", name, "--role", role, "--as", maker).strip()
    path, password, browser = link.removeprefix(base_url), secrets.token_urlsafe(12), Browser(base_url)
    browser.send(path, browser.get(path), name=name, password=password)
    page = browser.send("/account/app", browser.get("/account/enrol"))
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', page)
    secret = found[1].replace(" ", "") if found else sys.exit("demo: no secret for an authenticator app was shown")
    browser.send("/account/app/confirm", page, code=pyotp.TOTP(secret).now())
    if maker not in browser.get("/portal"):
        sys.exit(f"demo: {login} does not get to the portal")
    return password, secret


def log_ins(base_url: str) -> list[str]:
    """Make a preparer and an approver who can sign in; return the lines that say how."""
    maker = next(iter(people()))
    lines = [f"Sign in at {base_url}/portal for {maker}, with a code of an authenticator app (here: its secret):"]
    for login, name, role in (
        ("preparer@sample.example", "制单样例", "preparer"),
        ("approver@sample.example", "审批样例", "approver"),
    ):
        password, secret = sign_up(base_url, maker, login, name, role)
        lines.append(f"  {login}  password {password}  secret {secret}")
    code = "import pyotp, sys; print(pyotp.TOTP(sys.argv[1]).now())"
    return [*lines, f'  a code without an app: .venv/bin/python -c "{code}" SECRET']


@contextmanager
def serving(base_url: str) -> Iterator[subprocess.Popen[bytes]]:
    """Serve on this computer while the block runs; the server is ended by its id."""
    port = base_url.rsplit(":", 1)[1]
    log = (DEMO / "server.log").open("wb")
    command = [sys.executable, "-m", "signer", "serve", "--port", port]
    with log, subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=log, stderr=log) as server:
        try:
            wait_for(base_url, server)
            yield server
        finally:
            server.terminate()


def wait_for(base_url: str, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers, at most 30 s."""
    for _ in range(150):
        try:
            urllib.request.urlopen(f"{base_url}/healthz", timeout=5).close()
        except OSError:
            if server.poll() is not None:
                break
            time.sleep(0.2)
        else:
            return
    sys.exit(f"demo: the server does not answer; see {DEMO.name}/server.log")


def free_port() -> int:
    """Return 8000 if nobody listens there, else a port that is free."""
    for port in (8000, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise AssertionError("no free port")


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def main() -> None:
    """Run the demonstration."""
    begun = time.monotonic()
    base_url = f"http://127.0.0.1:{free_port()}"
    SETTINGS["SIGNER_BASE_URL"] = base_url
    set_up()
    made = issue()
    expected = live(made) | tamper(next(iter(made.values())))
    first = next(iter(made.values())).relative_to(ROOT)
    with serving(base_url) as server:
        is_right = check(expected, base_url)
        outcome = "every verdict is as it must be" if is_right else "A VERDICT IS WRONG"
        print(f"\n{outcome}, after {time.monotonic() - begun:.1f} s. TEST seals only: nothing here has any effect.")
        print("\n".join(log_ins(base_url)), end="\n\n")
        print(f"A sealed page: {first}\nVerify one from the command line, and over HTTP:")
        print(f"  SIGNER_DATA_DIR={DEMO.name}/data .venv/bin/signer verify --allow-test {first}")
        print(f"  curl -s -H 'Content-Type: application/pdf' --data-binary @{first} {base_url}/api/v1/verify")
        if is_right and "--once" not in sys.argv[1:]:
            print(f"\nOpen {base_url}/verify and drop a file there. Ctrl-C ends it.", flush=True)
            with suppress(KeyboardInterrupt):
                server.wait()
    sys.exit(0 if is_right else 1)


if __name__ == "__main__":
    main()
