"""The playground in headless Chromium: built once, served from this machine. Skipped loudly without npm or browser.

A start of Python takes seconds: most tests share a page, and each begins with a text of its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import shutil
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc.playground.app import answer
from convcalc.playground.build import BuildError, build
from tests.pages.test_browser import CHROMIUM, axe, browser, playwright
from tests.pages.test_page import GOLDEN

__all__ = ["axe", "browser"]
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="NO PLAYGROUND TEST: there is no Chromium on the PATH"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="NO PLAYGROUND TEST: npm is not installed"),
]
SECONDS = 1000
START = 120 * SECONDS
"""On a machine that is busy with other tests."""
SPEC = "input: [3, 8, 8]\nlayers: [conv: [4, 3]]\n"
"""112 parameters: 4 filters of 3·3·3 weights and a bias."""
UNREACHABLE = re.compile(r"\bE(AI_AGAIN|CONN[A-Z]+|NETUNREACH|NOTFOUND|TIMEDOUT)\b|NewConnectionError|Read timed out")
"""What npm and pip say where there is no network."""


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that prints nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("playground") / "site"
    try:
        build(folder)
    except BuildError as error:
        if UNREACHABLE.search(str(error)):
            pytest.skip(f"NO PLAYGROUND TEST: npm or pip has no network: {error}")
        raise
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@contextmanager
def visits(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Open the playground; no page of it may have a message or load from elsewhere than its own folder."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    messages: list[str] = []
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    context.on("console", lambda message: messages.append(message.text))
    context.on("weberror", lambda error: messages.append(str(error.error)))

    def opened(at: str = "", before: Callable[[Any], None] = lambda _: None) -> Any:
        page = context.new_page()
        before(page)
        page.goto(address + at)
        return page

    yield opened
    context.close()
    assert messages == []
    assert len(requests) > 0
    assert [url for url in requests if not url.startswith((address, f"blob:{address}"))] == []


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """``visit(hash)`` opens the playground anew."""
    with visits(browser, address) as opened:
        yield opened


@pytest.fixture(scope="module")
def started(browser: Any, address: str) -> Iterator[Any]:
    """A page whose Python is there."""
    with visits(browser, address) as opened:
        page = opened()
        counted(page, convcalc.load("zoo:resnet50").report().totals["params"])
        yield page


@pytest.fixture
def page(started: Any) -> Any:
    """The shared page, as if it had just been opened by a link to ``SPEC``."""
    started.set_viewport_size({"width": 1280, "height": 900})
    started.locator("#compare").uncheck()
    go(started, text=SPEC)
    counted(started, 112)
    return started


def tile(page: Any, title: str) -> Any:
    return page.locator("#tiles div", has_text=title).locator("dd")


def counted(page: Any, params: int) -> None:
    """Wait for a number of parameters, and for nothing to be wrong."""
    playwright.expect(tile(page, "parameters")).to_have_attribute("title", f"{params:,}", timeout=START)
    playwright.expect(page.locator("#problems")).to_be_hidden(timeout=START)


def heading(page: Any) -> Any:
    return page.frame_locator("iframe:not(.coming)").locator("h1")


def write(page: Any, text: str) -> None:
    """Replace the text in the editor, as a person would paste it."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def link(content: bytes) -> str:
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(content) + packer.flush()
    return f"#z={base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def shared(**state: Any) -> str:
    return link(json.dumps(state).encode())


def go(page: Any, **state: Any) -> None:
    """Follow a link, even one to where the page is."""
    page.evaluate("document.getElementById('dtype').value = 'not yet'")
    page.evaluate("to => { location.hash = ''; location.hash = to }", shared(**state))
    playwright.expect(page.locator("#dtype")).not_to_have_value("not yet", timeout=START)


def problem(page: Any, text: str) -> None:
    playwright.expect(page.locator("#problems")).to_contain_text(text, timeout=START)


def answered(call: str, **given: Any) -> Any:
    return json.loads(answer(call, json.dumps(given)))


# --- what is counted --------------------------------------------------------------------------------------------------


def test_a_report_is_there_before_python(visit: Any) -> None:
    page = visit()
    playwright.expect(page.locator("#status")).to_contain_text("Python is loading")
    playwright.expect(heading(page)).to_have_text("ResNet-50")


def test_edit_and_mistake(page: Any) -> None:
    write(page, SPEC.replace("4", "5"))
    counted(page, 140)
    playwright.expect(heading(page)).to_have_text("spec.yaml", timeout=START)
    write(page, SPEC.replace("conv: [4, 3]", "maxpol: 2"))
    squiggle = page.locator(".cm-lintRange-error")
    playwright.expect(squiggle).to_have_text("maxpol", timeout=START)
    problem(page, "did you mean 'maxpool'")
    playwright.expect(page.locator("#status")).to_have_text("as of the last valid text")
    assert tile(page, "parameters").get_attribute("title") == "140"
    playwright.expect(page).to_have_url(re.compile("#z="))  # a reload keeps the text


def test_mistakes_follow_their_text(page: Any) -> None:
    lines = ["- {conv: [4, 3], note: 🙂é}", "- {note: 🙂é, maxpol: 2}", "- {conv: {out: 2, kernal: 3}}"]
    write(page, "\n".join(["input: [3, 8, 8]", "layers:", *lines]))
    squiggles = page.locator(".cm-lintRange-error")
    playwright.expect(squiggles).to_have_text(["maxpol", "kernal"], timeout=START)
    page.keyboard.press("Control+Home")
    page.keyboard.insert_text("name: x\n")
    playwright.expect(page.locator("#problems button")).to_have_text(["Line 5", "Line 6"], timeout=START)
    playwright.expect(squiggles).to_have_text(["maxpol", "kernal"])
    page.locator("#problems button").nth(1).press("Enter")
    page.keyboard.press("Control+Delete")
    page.keyboard.insert_text("kernel")
    playwright.expect(squiggles).to_have_text(["maxpol"], timeout=START)


def test_another_design_compared_and_saved(page: Any) -> None:
    choose(page, "zoo/lenet")
    lenet = convcalc.load("zoo:lenet").report()
    counted(page, lenet.totals["params"])
    page.locator("#compare").check()
    playwright.expect(heading(page)).to_have_text("at load → now", timeout=START)
    page.locator("#compare").uncheck()
    playwright.expect(heading(page)).to_contain_text("LeNet", timeout=START)
    assert json.loads(saved(page, "json"))["totals"]["params"] == lenet.totals["params"]


def test_pages_are_the_same_bytes_in_both_pythons(page: Any) -> None:
    for name in GOLDEN:
        text = answered("design", folder="zoo", name=name)["text"]
        choose(page, f"zoo/{name}")
        counted(page, convcalc.load(f"zoo:{name}").report().totals["params"])
        answered("report", text=text)
        here, there = answered("page")["html"], saved(page, "html")
        assert hashlib.sha256(there.encode()).digest() == hashlib.sha256(here.encode()).digest(), name


def choose(page: Any, design: str) -> None:
    page.locator(f"#design option[value='{design}']").wait_for(state="attached", timeout=START)
    page.locator("#design").select_option(design)


def saved(page: Any, kind: str) -> str:
    with page.expect_download(timeout=START) as download:
        page.locator("#save").select_option(kind)
    return Path(download.value.path()).read_bytes().decode()


def test_completion_offers_what_the_schema_has(page: Any) -> None:
    write(page, f"{SPEC}cla")
    page.keyboard.type("i")
    playwright.expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("claims", timeout=START)
    page.keyboard.press("Escape")


# --- links ------------------------------------------------------------------------------------------------------------


def test_a_link_holds_the_spec_and_its_settings(page: Any) -> None:
    text = "input: [8]\nvars: {n: 2}\nvariants: {wide: {n: 5}}\nlayers: [linear: n]\n"
    go(page, text=text, variant="wide", batch=7, dtype="float16")
    multiplies = tile(page, "multiplies")
    playwright.expect(multiplies).to_have_attribute("title", "280", timeout=START)
    assert page.locator("#variant").input_value() == "wide"
    page.locator("#share").click()
    playwright.expect(page.locator("#status")).to_contain_text("it holds the spec itself")
    copied = page.evaluate("location.hash")
    go(page, text=SPEC)
    counted(page, 112)
    page.evaluate("to => { location.hash = to }", copied)
    playwright.expect(multiplies).to_have_attribute("title", "280", timeout=START)


DAMAGED = {
    "no deflate": "#z=AAAA", "no base64": "#z=%%%", "cut": shared(text=SPEC)[:-9], "empty": "#z=",
    "no JSON": link(b"input: [3]"), "null": link(b"null"), "no text": link(b"{}"), "a number": link(b'{"text": 3}'),
    "300 MB": link(b'{"text": "' + b"a" * 300_000_000),
}  # fmt: skip


def test_a_damaged_link_is_named(page: Any) -> None:
    for kind, at in DAMAGED.items():
        page.evaluate("to => { document.getElementById('status').textContent = ''; location.hash = to }", at)
        playwright.expect(page.locator("#status"), kind).to_contain_text("damaged", timeout=START)
    write(page, SPEC.replace("4", "5"))
    counted(page, 140)
    playwright.expect(page.locator("#status")).to_have_text("")


EVIL = "</script></title><script>document.title='evil'</script><img src=x onerror=\"document.title='evil'\">]]>\u202e"


def test_what_a_link_holds_is_text_only(page: Any) -> None:
    written = EVIL.replace("\u202e", r"\u202e")  # a mark that turns what follows is shown, not obeyed
    layers = [{"linear": 2, "note": EVIL}]
    go(page, text=json.dumps({"name": EVIL, "note": EVIL, "input": [3], "layers": layers}, ensure_ascii=False))
    counted(page, 8)
    playwright.expect(heading(page)).to_have_text(written, timeout=START)
    assert page.evaluate("document.title") == f"{written} · convcalc playground"
    go(page, text=f"input: [3]\nlayers: [{json.dumps(EVIL)}]", variant=EVIL, dtype=EVIL, batch=EVIL)
    problem(page, "the batch is a positive integer")
    for field, value, found in (("#batch", "1", "</script>"), ("#dtype", "float32", "no import '</script>")):
        page.locator(field).fill(value)
        page.locator(field).dispatch_event("change")
        problem(page, found)
    assert [frame.locator("img").count() for frame in page.frames] == [0] * len(page.frames)
    assert page.evaluate("document.title") != "evil"


def test_what_no_spec_may_hold_has_its_place(page: Any) -> None:
    for character in ("\0", "\ud800", "\u2028", "\x1b"):
        go(page, text=f"{SPEC}# {character}")
        problem(page, f"control character U+{ord(character):04X}")
        playwright.expect(page.locator("#problems button")).to_have_text("Line 3")


def test_a_huge_spec_is_an_error_and_no_end(page: Any) -> None:
    repeated = "  - {relu: {}, repeat: 10000}\n"
    for text, found in {
        f"{SPEC}# {'x' * 2**20}": "larger than the limit",
        f"input: [1]\nlayers:\n{repeated * 3}": "30,000 layers, and the playground counts at most",
        f"input: [1]\nlayers:\n  - repeat: 10000\n    seq:\n  {repeated}": "more items than the limit",
        "[" * 100_000: "nested deeper",
    }.items():
        go(page, text=text)
        problem(page, found)
    colours = page.locator(".cm-line span[class^='ͼ']")
    playwright.expect(colours).to_have_count(0)  # their parser calls itself for every level
    go(page, text=SPEC)
    counted(page, 112)
    playwright.expect(colours).not_to_have_count(0)


def test_a_worker_without_an_answer_is_replaced(visit: Any) -> None:
    """The clock of the page is put forward by the ten seconds that it waits."""
    page = visit(before=silent_at_first)
    playwright.expect(page.locator("#save")).to_be_disabled(timeout=START)
    page.wait_for_timeout(SECONDS)
    page.clock.fast_forward(10 * SECONDS)
    playwright.expect(page.locator("#status")).to_contain_text("no answer for 10 seconds", timeout=START)
    write(page, SPEC)
    counted(page, 112)
    playwright.expect(page.locator("#status")).to_have_text("")


def silent_at_first(page: Any) -> None:
    """Let the first worker be one that never answers."""
    page.clock.install()
    page.route(
        "**/worker.mjs",
        lambda route: route.fulfill(content_type="text/javascript", body="postMessage({ready: true})"),
        times=1,
    )


# --- for everyone -----------------------------------------------------------------------------------------------------


def test_everything_is_reached_by_the_keyboard(page: Any) -> None:
    page.locator("#design").focus()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    assert reached[:5] == ["batch", "dtype", "compare", "save", "share"]
    assert "cm-content" in reached[5]
    page.keyboard.press("Control+A")
    page.keyboard.insert_text("input: [3]\nlayers: [reul]")
    playwright.expect(page.locator("#problems button")).to_have_text("Line 2", timeout=START)
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Line 2"
    page.keyboard.press("Enter")
    page.keyboard.press("Control+Delete")
    page.keyboard.insert_text("relu")
    counted(page, 0)


@pytest.mark.parametrize("width", [400, 1280])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(page: Any, axe: str, width: int) -> None:
    """A report, a comparison, and a mistake without a space to break at, in both themes."""
    page.set_viewport_size({"width": width, "height": 900})
    write(page, f"name: at {width}\n{SPEC}")
    for compared, name in ((False, f"at {width}"), (True, "at load → now")):
        page.locator("#compare").set_checked(compared)  # alone: a second change would replace the frame once more
        playwright.expect(heading(page)).to_have_text(name, timeout=START)
        accessible(page, axe)
    write(page, f"{SPEC}{'x' * 300}: 1\n")
    problem(page, "xxx")
    accessible(page, axe)


def accessible(page: Any, axe: str) -> None:
    playwright.expect(page.locator("iframe")).to_have_count(1)
    for frame in page.frames:
        assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
        frame.evaluate(axe)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        found = page.evaluate(
            "axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 150))]))"
        )
        assert found == [], scheme


# --- its files --------------------------------------------------------------------------------------------------------


def test_a_later_visit_needs_no_network(page: Any) -> None:
    """By a link of about 50 kB, made here of digits that deflate cannot shorten much, and then by the page."""
    text = f"{SPEC.replace('4', '5')}# {base64.b85encode(random.Random(1).randbytes(32_000)).decode()}\n"
    go(page, text=text)
    counted(page, 140)
    page.locator("#share").click()
    playwright.expect(page.locator("#status")).to_contain_text("it holds the spec itself")
    packed = page.evaluate("location.hash").removeprefix("#z=")
    assert 40_000 < len(packed) < 60_000
    state = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), wbits=-15))
    assert state["text"] == text
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.reload()
    counted(page, 140)
    page.context.set_offline(False)


def test_the_service_worker_knows_every_file(site: Path) -> None:
    listed = re.search(r"const FILES = (\{.*?\})", (site / "sw.js").read_text("utf-8"), re.DOTALL)
    assert listed is not None
    digests = {
        file.name: base64.b64encode(hashlib.sha256(file.read_bytes()).digest()).decode()
        for file in site.iterdir()
        if file.name != "sw.js"
    }
    assert json.loads(listed[1]) == digests


def test_a_build_is_the_same_every_time(site: Path, tmp_path: Path) -> None:
    build(tmp_path / "again")
    again = {file.name: file.read_bytes() for file in (tmp_path / "again").iterdir()}
    assert again == {file.name: file.read_bytes() for file in site.iterdir()}
