"""Open every page of the built documentation, and the reports, in a browser.

    python tools/check_pages.py docs/_build/html    # about a minute; needs chromium and playwright

Stops with a list of what is wrong: errors in the console, requests to other hosts, links that lead
nowhere, pages that scroll sideways at 400 pixels, estimators that the search does not find, a copy
button that does not copy, and reports that do not open, filter, explain or escape.
"""

import argparse
import functools
import http.server
import shutil
import sys
import tempfile
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import numpy as np
import pandas as pd
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

import skae
from skae.inspection import CompressionReport, OutlierReport, SyntheticDataReport

NARROW = {"width": 400, "height": 800}
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "\u202eabc",
    "\"'>",
]
# What is searched for in each report, and shown as it is.
WORDS = {"outliers": "\\u202eabc", "synthetic": HOSTILE[0], "images": HOSTILE[0]}
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


class Links(HTMLParser):
    """The ids of a page, and where its links lead."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.targets: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what an element is called, and where it leads."""
        given = dict(attrs)
        self.ids |= {given[key] for key in ("id", "name") if given.get(key)}
        target = given.get("href") if tag == "a" else given.get("src") if tag == "img" else None
        if target:
            self.targets.append(target)


def pages_of(root: Path) -> list[Path]:
    """Return the pages of the site, and none of the parts that its theme is made of."""
    pages = sorted(root.rglob("*.html"))
    return [page for page in pages if "_static" not in page.relative_to(root).parts]


def dead_links(root: Path) -> list[str]:
    """Return links to pages, places and pictures of the site that are not there."""
    pages = {path.resolve(): Links(path) for path in pages_of(root)}
    wrong = []
    for path, links in pages.items():
        for target in links.targets:
            if urlparse(target).scheme or target.startswith("//"):
                continue
            address, fragment = urldefrag(target)
            there = (path.parent / unquote(address)).resolve() if address else path
            known = pages.get(there)
            if not there.exists() or (fragment and known and unquote(fragment) not in known.ids):
                wrong.append(f"{path.relative_to(root.resolve())}: dead link to {target}")
    return wrong


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def watched(browser: Browser, home: str, wrong: list[str], **options: object) -> Page:
    """Return a page whose errors, and requests to others than `home`, are noted in `wrong`."""
    page = browser.new_page(**options)

    def note(what: str) -> None:
        wrong.append(f"{page.url}: {what}")

    def read(message: ConsoleMessage) -> None:
        # Browsers ask every host for an icon, whether a page has one or not.
        if message.type == "error" and not message.location["url"].endswith("/favicon.ico"):
            note(message.text)

    page.on("console", read)
    page.on("pageerror", lambda error: note(str(error)))
    page.on("dialog", lambda dialog: (note("a dialog opened"), dialog.dismiss()))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((home, "data:", "about:", "blob:"))
            else note(f"asked for {request.url}")
        ),
    )
    return page


def check_site(browser: Browser, root: Path, home: str) -> list[str]:
    """Open every page at 400 pixels, search for every estimator, and copy a block of code."""
    wrong: list[str] = []
    page = watched(browser, home, wrong, viewport=NARROW)
    for path in pages_of(root):
        page.goto(urljoin(home, path.relative_to(root).as_posix()))
        over = page.evaluate(OVERFLOW)
        if over > 0:
            wrong.append(f"{page.url}: scrolls sideways by {over} pixels")
    for name in (name for name in skae.__all__ if name[0].isupper()):
        page.goto(urljoin(home, f"search.html?q={name}"))
        try:
            page.wait_for_selector(f'#search-results a[href*="skae.{name}.html"]', timeout=20_000)
        except Exception:
            wrong.append(f"the search does not find {name}")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(urljoin(home, "index.html"))
    page.locator("button.copybtn").last.click(force=True)
    copied = page.evaluate("navigator.clipboard.readText()")
    if "Autoencoder(n_components=8" not in copied or ">>>" in copied:
        wrong.append(f"index.html: the copy button gives {copied!r}")
    return wrong


class Detector:
    """Calls rows with a large first value strange, because of it."""

    offset_ = -1.0

    def score_samples(self, X: pd.DataFrame) -> np.ndarray:
        """Return minus the first value."""
        return -X.iloc[:, 0].to_numpy()

    def feature_errors(self, X: pd.DataFrame) -> np.ndarray:
        """Return the values."""
        return X.to_numpy()

    def explain(self, X: pd.DataFrame, *, n_features: int) -> pd.DataFrame:
        """Return a line for each row."""
        value = X.iloc[:, 0].to_numpy()
        columns = {"score": -value, "feature": X.columns[0], "expected": np.nan, "share": 1.0}
        return pd.DataFrame({"row": X.index, "value": HOSTILE[1], **columns})


class Codec:
    """Keeps some bits."""

    def compress(self, X: list, quality: int) -> list[bytes]:
        """Return the leading bits of each image."""
        return [(x >> (8 - quality) << (8 - quality)).tobytes() for x in X]

    def decompress(self, streams: list[bytes]) -> list:
        """Return the images again."""
        return [np.frombuffer(s, np.uint8).reshape(24, 24) for s in streams]


def write_reports(folder: Path) -> None:
    """Write a report of each kind, from hostile data."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.exponential(size=(400, 2)), columns=[HOSTILE[0], "calm"])
    rows.index = [f"{HOSTILE[i % 4]} {i}" for i in range(400)]
    OutlierReport(Detector(), rows, title=HOSTILE[1]).write_html(folder / "outliers.html")
    rows["words"] = HOSTILE * 100
    SyntheticDataReport(rows, rows.sample(frac=1)).write_html(folder / "synthetic.html")
    images = [np.arange(576, dtype=np.uint8).reshape(24, 24), np.zeros((24, 24), np.uint8)]
    report = CompressionReport(Codec(), images, qualities=[2, 5], image_names=HOSTILE[:2])
    report.write_html(folder / "images.html")


def check_reports(browser: Browser, folder: Path) -> list[str]:
    """Open, filter and unfold each report, by the keyboard too, in light and in dark."""
    wrong: list[str] = []
    for scheme in ("light", "dark"):
        for path in sorted(folder.glob("*.html")):
            page = watched(browser, path.as_uri(), wrong, viewport=NARROW, color_scheme=scheme)
            page.goto(path.as_uri())
            page.get_by_label("Search").fill(WORDS[path.stem])
            n_found, _, n_all, *_ = page.locator("output").inner_text().split()
            if not 0 < int(n_found) < int(n_all):
                wrong.append(f"{path.name}: {n_found} of {n_all} entries hold {WORDS[path.stem]}")
            shown = page.locator("summary").first.inner_text()
            if WORDS[path.stem] not in shown:
                wrong.append(f"{path.name}: shows {shown!r} instead of {WORDS[path.stem]}")
            page.locator("summary").first.focus()
            page.keyboard.press("Enter")
            page.wait_for_selector("details[open] .detail > *")
            over = page.evaluate(OVERFLOW)
            if over > 0:
                wrong.append(f"{path.name}: scrolls sideways by {over} pixels")
            page.close()
    return wrong


def main() -> None:
    """Check all, and say what is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("root", type=Path, help="folder of the built documentation")
    root = parser.parse_args().root
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("chromium is missing: sudo apt-get install chromium")
    handler = functools.partial(Quiet, directory=str(root))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}/"
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        write_reports(Path(folder))
        wrong = check_reports(browser, Path(folder))
        wrong += dead_links(root)
        wrong += check_site(browser, root, home)
        browser.close()
    print("\n".join(wrong) or "All pages are well.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
