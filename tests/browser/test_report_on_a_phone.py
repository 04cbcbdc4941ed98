"""report.html on a phone: its pictures stay readable, and only they are wider than the page."""
import pytest
from driver import Browser, find
from test_accessible import _report


@pytest.mark.skipif(find() is None, reason="needs a Chromium")
def test_pictures_keep_their_size_on_a_phone_and_a_key_scrolls_them(tmp_path):
    path = _report(tmp_path)
    with Browser() as browser:
        view = browser.open(path.as_uri(), width=390)
        assert view.eval(
            "[...document.querySelectorAll('img')].every(image => image.clientWidth >= 640)")
        assert view.eval("document.documentElement.scrollWidth") == 390
        view.eval("document.querySelector('img').parentElement.focus()")
        view.press("ArrowRight")
        view.wait("document.activeElement.scrollLeft > 0", 5)
        assert browser.strangers == [] and browser.log == []
