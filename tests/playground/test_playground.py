"""The playground in headless Chromium: built once, served from this machine. Skipped loudly without npm or browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import threading
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import convcalc
from convcalc.playground.app import answer
from convcalc.playground.build import main
from tests.pages.test_browser import CHROMIUM, browser, playwright

__all__ = ["browser"]
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="NO PLAYGROUND TEST: there is no Chromium on the PATH"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="NO PLAYGROUND TEST: npm is not installed"),
]
SECONDS = 1000
START = 120 * SECONDS
"""On a machine that is busy with other tests."""


class Quiet(SimpleHTTPRequestHandler):
    """A server of files that prints nothing."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("playground") / "site"
    main(["-o", str(folder)])
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Any]:
    """``visit(hash)`` opens the playground, which must have no message and load from its own folder alone."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    messages: list[str] = []
    requests: list[str] = []

    def opened(at: str = "", before: Callable[[Any], None] = lambda _: None) -> Any:
        page = context.new_page()
        before(page)
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address + at)
        return page

    yield opened
    context.close()
    assert messages == []
    assert [url for url in requests if not url.startswith((address, f"blob:{address}"))] == []


def tile(page: Any, title: str) -> Any:
    return page.locator("#tiles div", has_text=title).locator("dd")


def write(page: Any, text: str) -> None:
    """Replace the text in the editor, as a person would paste it."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)


def shared(**state: Any) -> str:
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(json.dumps(state).encode()) + packer.flush()
    return f"#z={base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def test_first_report_edit_and_mistake(visit: Any) -> None:
    page = visit()
    first = convcalc.load("zoo:resnet50").report()
    assert page.frame_locator("iframe").locator("h1").inner_text() == "ResNet-50"
    params = tile(page, "parameters")
    params.wait_for(timeout=START)
    assert params.get_attribute("title") == f"{first.totals['params']:,}"
    write(page, "input: [3, 8, 8]\nlayers: [conv: [4, 3]]")
    playwright.expect(params).to_have_attribute("title", "112", timeout=START)
    playwright.expect(page.frame_locator("iframe:not(.coming)").locator("h1")).to_have_text("spec.yaml", timeout=START)
    write(page, "input: [3, 8, 8]\nlayers: [maxpol: 2]")
    squiggle = page.locator(".cm-lintRange-error")
    playwright.expect(squiggle).to_have_text("maxpol", timeout=START)
    playwright.expect(page.locator("#problems")).to_contain_text("did you mean 'maxpool'")
    playwright.expect(page.locator("#status")).to_have_text("as of the last valid text")
    assert params.get_attribute("title") == "112"
    playwright.expect(page).to_have_url(re.compile("#z="))  # a reload keeps the text


def test_a_link_holds_the_spec_and_its_settings(visit: Any) -> None:
    text = "input: [8]\nvars: {n: 2}\nvariants: {wide: {n: 5}}\nlayers: [linear: n]\n"
    page = visit(shared(text=text, variant="wide", batch=7, dtype="float16"))
    playwright.expect(tile(page, "multiplies")).to_have_attribute("title", "280", timeout=START)
    assert page.locator("#variant").input_value() == "wide"
    page.locator("#share").click()
    playwright.expect(page.locator("#status")).to_contain_text("it holds the spec itself")
    again = visit(page.evaluate("location.hash"))
    playwright.expect(tile(again, "multiplies")).to_have_attribute("title", "280", timeout=START)


def test_a_damaged_link_is_named(visit: Any) -> None:
    page = visit("#z=AAAA")
    playwright.expect(page.locator("#status")).to_contain_text("damaged")


def test_another_design_compared_and_saved(visit: Any) -> None:
    page = visit()
    page.locator("#design option[value='zoo/lenet']").wait_for(state="attached", timeout=START)
    page.locator("#design").select_option("zoo/lenet")
    lenet = convcalc.load("zoo:lenet").report()
    playwright.expect(tile(page, "parameters")).to_have_attribute("title", f"{lenet.totals['params']:,}", timeout=START)
    page.locator("#compare").check()
    playwright.expect(page.frame_locator("iframe:not(.coming)").locator("h1")).to_have_text(
        "at load → now", timeout=START
    )
    page.locator("#compare").uncheck()
    playwright.expect(page.frame_locator("iframe:not(.coming)").locator("h1")).to_contain_text("LeNet", timeout=START)
    with page.expect_download(timeout=START) as saved:
        page.locator("#save").select_option("json")
    assert json.loads(Path(saved.value.path()).read_text("utf-8"))["totals"]["params"] == lenet.totals["params"]
    with page.expect_download(timeout=START) as saved:
        page.locator("#save").select_option("html")
    answer("report", json.dumps(answered("design", folder="zoo", name="lenet")))
    assert Path(saved.value.path()).read_text("utf-8") == answered("page")["html"], "the same bytes in both Pythons"


def answered(call: str, **given: str) -> Any:
    return json.loads(answer(call, json.dumps(given)))


def test_a_worker_without_an_answer_is_replaced(visit: Any) -> None:
    page = visit(before=silent_at_first)
    playwright.expect(page.locator("#status")).to_contain_text("no answer for 10 seconds", timeout=START)
    write(page, "input: [3, 8, 8]\nlayers: [conv: [4, 3]]")
    playwright.expect(tile(page, "parameters")).to_have_attribute("title", "112", timeout=START)
    playwright.expect(page.locator("#status")).to_have_text("")


def silent_at_first(page: Any) -> None:
    """Let the first worker be one that never answers."""
    page.route(
        "**/worker.mjs",
        lambda route: route.fulfill(content_type="text/javascript", body="postMessage({ready: true})"),
        times=1,
    )


def test_completion_offers_what_the_schema_has(visit: Any) -> None:
    page = visit()
    tile(page, "parameters").wait_for(timeout=START)
    write(page, "input: [3, 8, 8]\nlayers: [conv: [4, 3]]\ncla")
    page.keyboard.type("i")
    playwright.expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("claims", timeout=START)


def test_a_later_visit_needs_no_network(visit: Any, site: Path) -> None:
    page = visit()
    tile(page, "parameters").wait_for(timeout=START)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.context.set_offline(True)
    page.reload()
    tile(page, "parameters").wait_for(timeout=START)


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
    main(["-o", str(tmp_path / "again")])
    again = {file.name: file.read_bytes() for file in (tmp_path / "again").iterdir()}
    assert again == {file.name: file.read_bytes() for file in site.iterdir()}
