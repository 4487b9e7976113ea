"""Take the pictures of the web app that the guide shows, and of every page for looking at.

    python scripts/pictures.py RUNS RUN DRAFT --out FOLDER    (every page in every look)
    python scripts/pictures.py RUNS RUN DRAFT --guide         (those that docs/guide shows)

RUNS is a folder of runs, RUN one that has ended, DRAFT one that was set up but not started; the
other runs that have ended are compared with RUN. Needs Chromium, Playwright, Pillow and fonts for
Chinese.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

GUIDE = Path(__file__).parents[1] / "docs" / "guide" / "pictures"
HEIGHT_PX = 900
LOOKS = (
    ("en", 1600, "light"), ("zh", 1600, "dark"), ("en", 360, "dark"), ("zh", 360, "light"),
)  # fmt: skip
SHOWN = (("en", 1600, "light"), ("zh", 360, "dark"))  # in the guide, of every page
ALSO_SHOWN = ("race", "zh", 1600, "dark")
COLOURS = 128  # of a picture in the guide: pages have few, and a clone stays small


def main() -> None:
    """Start a server, take the pictures, stop it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("run")
    parser.add_argument("draft")
    parser.add_argument("--out", type=Path, default=Path("pictures"))
    parser.add_argument("--guide", action="store_true")
    given = parser.parse_args()
    out = GUIDE if given.guide else given.out
    out.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen(
        [sys.executable, "-m", "forkpoint", "serve", str(given.runs), "--port", "0"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        address = server.stdout.readline().strip() if server.stdout else ""
        take(address, addresses(given.runs, given.run, given.draft), out, given.guide)
    finally:
        server.terminate()


def addresses(runs: Path, run: str, draft: str) -> dict[str, str]:
    """Name of a picture -> address of its page."""
    ended = sorted(verdict.parent.name for verdict in runs.glob("*/verdict.json"))
    compared = "&".join(f"run={name}" for name in [run, *(one for one in ended if one != run)])
    return {
        "runs": "/",
        "start": "/start",
        "choose": f"/start/{draft}",
        "plan": f"/start/{draft}/plan",
        "race": f"/run/{run}",
        "answers": f"/run/{run}/answers",
        "vote": f"/run/{run}/vote",
        "votes": f"/run/{run}/vote?reveal=yes",
        "report": f"/run/{run}/report",
        "compare": f"/compare?{compared}",
        "rules": "/rules",
        "rule": "/rules/FP-B01",
        "refused": "/run/no-such-run",
    }


def take(address: str, pages: dict[str, str], out: Path, guide: bool) -> None:
    """Every page in every look, or those of the guide."""
    from playwright.sync_api import sync_playwright

    looks = SHOWN if guide else LOOKS
    wanted = [(name, *look) for name in pages for look in looks]
    wanted += [ALSO_SHOWN] if guide else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, lang, width, scheme in wanted:
            context = browser.new_context(
                viewport={"width": width, "height": HEIGHT_PX}, color_scheme=scheme,
                locale="zh-CN" if lang == "zh" else "en-GB",
            )  # fmt: skip
            shoot(context, address, pages[name], out / f"web-{name}-{lang}-{width}-{scheme}.png",
                  whole=not guide)  # fmt: skip
            context.close()
        browser.close()


def shoot(context: Any, address: str, path: str, file: Path, whole: bool) -> None:
    """One picture: the whole page, or what its first screens show."""
    page = context.new_page()
    page.set_default_timeout(180_000)
    page.goto(address)
    page.goto(address.partition("/?")[0] + path)
    page.wait_for_selector("[data-reload]", state="detached")  # what is being read or measured
    page.wait_for_timeout(300)
    size = page.viewport_size or {"width": 1600, "height": HEIGHT_PX}
    height = min(page.evaluate("document.documentElement.scrollHeight"), 2 * HEIGHT_PX)
    clip = None if whole else {"x": 0, "y": 0, "width": size["width"], "height": height}
    page.screenshot(path=str(file), full_page=True, clip=clip)
    if not whole:
        shrink(file)
    print(file)


def shrink(file: Path) -> None:
    """The same picture with fewer colours."""
    from PIL import Image

    few = Image.open(file).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(file, optimize=True)


if __name__ == "__main__":
    main()
