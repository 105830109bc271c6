"""Make the pictures of the documents from the samples: a sealed page, the verdict in two languages. TEST seals only.

Needs `make test`'s environment, and Debian's `chromium` and `poppler-utils`: `python docs/make_pictures.py`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import world as worlds  # noqa: E402 -- the path is set above

from signer.web.app import create_app  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
MOST_BYTES = 1_000_000


def page_of(pdf: Path, target: Path) -> None:
    """Draw the first page of a PDF."""
    drawn = ["pdftoppm", "-r", "80", "-png", "-singlefile", "-f", "1", "-l", "1", str(pdf), str(target.with_suffix(""))]
    subprocess.run(drawn, check=True)


def verdict_of(pdf: Path, world: worlds.World, language: str, target: Path) -> None:
    """Draw the page that answers about a PDF."""
    app = create_app(world.services, clock=lambda: world.at)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 900, "height": 1000})
        page.goto(f"http://127.0.0.1:{server.server_port}/verify?lang={language}")
        page.set_input_files("input[type=file]", str(pdf))
        page.click("button[type=submit]")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=str(target))
        browser.close()
    server.shutdown()


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        world = worlds.World(worlds.build(data))
        pdf = Path(folder) / "confirmation.pdf"
        pdf.write_bytes(world.issue(worlds.sample(worlds.KAZAKHSTAN)).pdf)
        page_of(pdf, PICTURES / "confirmation.png")
        verdict_of(pdf, world, "en", PICTURES / "verdict.png")
        verdict_of(pdf, world, "zh", PICTURES / "verdict.zh.png")
    size = sum(path.stat().st_size for path in PICTURES.iterdir())
    print(f"{size} bytes in {PICTURES.relative_to(ROOT)}")
    if size > MOST_BYTES:
        sys.exit("the pictures are larger than 1 MB")


if __name__ == "__main__":
    main()
