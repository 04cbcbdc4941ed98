"""The driver itself: a page is opened, clicked, typed into, and strangers are noticed."""
import pytest
from driver import Browser, Gone, Server, find

pytestmark = [pytest.mark.skipif(find() is None, reason="needs a Chromium")]
PAGE = """<!doctype html><meta name=viewport content=width=device-width><title>t</title>
<button onclick="this.textContent = 'pressed'">press</button><input id=field>
<script type=module>
const program = new Blob(["fetch('http://example.com/worker').catch(() => postMessage(1))"]);
const worker = new Worker(URL.createObjectURL(program));
worker.onmessage = () => { document.title = "answered"; };
</script>"""


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


def test_a_page_is_clicked_typed_into_and_looked_at(browser, tmp_path):
    (tmp_path / "page.html").write_text(PAGE)
    with Server(tmp_path) as server:
        page = browser.open(server.url + "page.html", width=390)
        page.click("button")
        assert page.text("button") == "pressed" and page.eval("innerWidth") == 390
        page.press("Tab")
        page.type("227")
        page.press("a")
        assert page.eval("document.querySelector('#field').value") == "227a"
        page.screenshot(tmp_path / "seen.png")
        assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")
        page.wait("document.title === 'answered'")
        assert browser.strangers == ["http://example.com/worker"]
        browser.strangers.clear()


def test_what_goes_wrong_in_a_page_is_told(browser, tmp_path):
    with Server(tmp_path) as server:
        page = browser.open(server.url)
        with pytest.raises(Gone, match="nobody"):
            page.eval("nobody.there")
        with pytest.raises(Gone, match="after 0 seconds still not"):
            page.wait("false", seconds=0)
    with pytest.raises(Gone, match="ERR_"):
        page.goto(server.url)
