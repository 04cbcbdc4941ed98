"""A headless Chromium that a test drives, with the standard library alone.

    with Server(folder) as server, Browser() as browser:
        page = browser.open(server.url + "index.html", width=390)
        page.click("#run")
        page.wait("document.querySelector('.done')")
        assert browser.strangers == []

It speaks the DevTools protocol over two pipes, so there is no port and no package. Nothing but this
machine can be reached: every other name resolves to nothing, and what was asked for stands in
`strangers`.
"""
import base64
import fcntl
import http.server
import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SWITCHES = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--mute-audio", "--hide-scrollbars",
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--remote-debugging-pipe"]
KEYS = {"Enter": (13, "\r"), "Tab": (9, ""), "Escape": (27, ""), " ": (32, " "),
        "ArrowDown": (40, ""), "ArrowUp": (38, ""), "ArrowLeft": (37, ""), "ArrowRight": (39, ""),
        "Home": (36, ""), "End": (35, ""), "Backspace": (8, "")}
MODIFIERS = {"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}


def find():
    """The path of a Chromium, or None: $MINIALEX_BROWSER, else one of NAMES on the PATH."""
    return os.environ.get("MINIALEX_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)


class Gone(Exception):
    """The browser has ended, a page has no such thing, or something did not happen in time."""


# ---------------------------------------------------------------------------- what serves the pages


class Server:
    """Serves a folder at .url, http://127.0.0.1:PORT/, until `close`; port 0 takes a free one.
    asked: what was wanted."""

    def __init__(self, folder, port=0):
        self.asked, self._connections = asked, connections = [], []

        class Handler(http.server.SimpleHTTPRequestHandler):
            extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map,
                              ".wasm": "application/wasm", ".mjs": "text/javascript",
                              ".js": "text/javascript", ".webmanifest": "application/manifest+json"}

            def setup(self):
                super().setup()
                connections.append(self.connection)

            def log_message(self, text, *arguments):
                asked.append(getattr(self, "path", text))

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", port),
                                                     partial(Handler, directory=str(folder)))
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        """From now on the port refuses: the page is offline."""
        self._http.shutdown()
        self._http.server_close()
        for connection in self._connections:  # Chromium opens some before it needs them
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # closed long ago
                pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


# -------------------------------------------------------------------------------------- the browser


class Browser:
    """A Chromium with an empty profile.

    strangers: addresses outside this machine that a page, worker or service worker wanted. log:
    what they wrote to the console, and their errors. elsewhere: {"https://there/": answer} plays a
    server that cannot be reached from here: answer(rest) gives the bytes at this address, or None
    for no network; elsewhere_asked: what was asked for there."""

    def __init__(self, path=None, switches=(), elsewhere=()):
        path = path or find()
        if path is None:
            raise Gone(f"there is no Chromium: install one of {', '.join(NAMES)}, "
                       "or name it in MINIALEX_BROWSER.")
        self._profile = tempfile.mkdtemp(prefix="browser-")
        here, there = os.pipe(), os.pipe()  # we write, it writes

        def connect():  # the protocol wants its two pipes as files 3 and 4
            from_us, to_us = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (here[0], there[1]))
            os.dup2(from_us, 3)
            os.dup2(to_us, 4)

        command = [path, *SWITCHES, f"--user-data-dir={self._profile}", *switches, "about:blank"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                         preexec_fn=connect, close_fds=False,
                                         start_new_session=True)
        os.close(here[0])
        os.close(there[1])
        self._out, self._in = here[1], there[0]
        self._number, self._read, self._answers, self._sessions = 0, b"", {}, {}
        self.strangers, self.log, self.elsewhere, self.elsewhere_asked = [], [], dict(elsewhere), []
        self.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=True,
                  flatten=True)
        self.call("Target.setDiscoverTargets", discover=True)

    def call(self, method, session=None, seconds=60, **arguments):
        """The answer of one command of the protocol. Raises Gone for an error, or when none
        comes."""
        number = self._send(method, session, **arguments)
        until = time.monotonic() + seconds
        while number not in self._answers:
            self._listen(until - time.monotonic(), method)
        answer = self._answers.pop(number)
        if "error" in answer:
            raise Gone(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def _send(self, method, session, **arguments):
        self._number += 1
        message = {"id": self._number, "method": method,
                   "params": arguments} | ({"sessionId": session} if session else {})
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data):]
        return self._number

    def _listen(self, seconds, what):
        """Take in what has come, waiting for at most so long. Raises Gone if nothing comes or the
        browser has ended."""
        while b"\0" not in self._read:
            if seconds <= 0 or not select.select([self._in], [], [], seconds)[0]:
                raise Gone(f"{what}: no answer in time")
            data = os.read(self._in, 1 << 20)
            if not data:
                raise Gone(f"{what}: the browser has ended")
            self._read += data
        *messages, self._read = self._read.split(b"\0")
        for message in map(json.loads, messages):
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._event(message["method"], message["params"], message.get("sessionId"))

    def _event(self, method, found, session):
        if method == "Target.attachedToTarget":
            self._sessions.setdefault(found["targetInfo"]["targetId"], found["sessionId"])
            self._watch(found["sessionId"])
        elif method == "Network.requestWillBeSent":
            address = urlsplit(found["request"]["url"])
            outside = address.scheme in ("http", "https", "ws",
                                         "wss") and address.hostname != "127.0.0.1"
            if outside and not self._stands_in(
                    address.geturl()) and address.geturl() not in self.strangers:
                self.strangers.append(address.geturl())
        elif method == "Fetch.requestPaused":
            self._answer(found["request"]["url"], found["requestId"], session)
        elif method == "Runtime.consoleAPICalled":
            self.log.append(f"{found['type']}: " + " ".join(
                str(a.get("value", a.get("description"))) for a in found["args"]))
        elif method == "Runtime.exceptionThrown":
            details = found["exceptionDetails"]
            self.log.append("uncaught: " + details.get("exception", {}).get("description",
                                                                            details["text"]))
        elif method == "Log.entryAdded" and found["entry"]["level"] == "error":
            self.log.append(f"{found['entry']['text']} {found['entry'].get('url', '')}")

    def _stands_in(self, url):
        return next((place for place in self.elsewhere if url.startswith(place)), None)

    def _answer(self, url, request, session):
        """What the server elsewhere says: these bytes to any page, or nothing."""
        place = self._stands_in(url)
        self.elsewhere_asked.append(url)
        body = self.elsewhere[place](url.removeprefix(place))
        if body is None:
            self._send("Fetch.failRequest", session, requestId=request,
                       errorReason="InternetDisconnected")
            return
        kind = "application/wasm" if url.endswith(".wasm") else "application/octet-stream"
        headers = [{"name": "Access-Control-Allow-Origin", "value": "*"},
                   {"name": "Content-Type", "value": kind}]
        self._send("Fetch.fulfillRequest", session, requestId=request, responseCode=200,
                   responseHeaders=headers, body=base64.b64encode(body).decode())

    def _watch(self, session):
        """Pages, workers and service workers alike: note what they ask for and say, and let them
        begin."""
        if self.elsewhere:
            self._send("Fetch.enable", session,
                       patterns=[{"urlPattern": f"{place}*"} for place in self.elsewhere])
        for method in ("Network.enable", "Runtime.enable", "Log.enable"):
            self._send(method, session)
        self._send("Target.setAutoAttach", session, autoAttach=True, waitForDebuggerOnStart=True,
                   flatten=True)
        self._send("Runtime.runIfWaitingForDebugger", session)

    def open(self, url, width=1280, height=900, dark=False):
        """A new Page at this address. width: 390 is a phone's."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        while target not in self._sessions:
            self._listen(60, "a new page")
        page = Page(self, self._sessions[target], target)
        page.call("Page.enable")
        page.resize(width, height, dark)
        page.goto(url)
        return page

    def close(self):
        try:
            self.call("Browser.close", seconds=5)
        except Gone:
            pass
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._out)
        os.close(self._in)
        shutil.rmtree(self._profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()


class Page:
    """One tab. Selectors are CSS; expressions are JavaScript, whose promises are waited for."""

    def __init__(self, browser, session, target):
        self.browser, self._session, self._target = browser, session, target

    def call(self, method, seconds=60, **arguments):
        return self.browser.call(method, self._session, seconds, **arguments)

    def resize(self, width, height, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def goto(self, url, seconds=60):
        """Go there and wait until the page has loaded. Raises Gone when it cannot be reached."""
        answer = self.call("Page.navigate", url=url)
        if "errorText" in answer:
            raise Gone(f"{url}: {answer['errorText']}")
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'", seconds)

    def reload(self, seconds=60):
        self.eval("window.beforeReload = true")
        self.call("Page.reload")
        self.wait("!window.beforeReload && document.readyState === 'complete'", seconds)

    def eval(self, expression, seconds=60):
        """The value of an expression, as JSON has it. Raises Gone with the page's own error."""
        answer = self.call("Runtime.evaluate", seconds, expression=expression, awaitPromise=True,
                           returnByValue=True, userGesture=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Gone(f"{expression}: "
                       f"{details.get('exception', {}).get('description', details['text'])}")
        return answer["result"].get("value")

    def wait(self, condition, seconds=60):
        """Wait until this expression is true, and return its value. Raises Gone after so many
        seconds."""
        until = time.monotonic() + seconds
        while True:
            try:
                value = self.eval(condition)
            except Gone as problem:
                if "navigat" not in str(problem) and "context" not in str(problem):
                    raise
                value = None  # between two pages
            if value:
                return value
            if time.monotonic() > until:
                raise Gone(f"after {seconds} seconds still not: "
                           f"{condition}\n" + "\n".join(self.browser.log[-5:]))
            time.sleep(0.1)

    def text(self, selector):
        """What a reader sees of the first such element."""
        return self.eval(f"document.querySelector({json.dumps(selector)}).innerText")

    def click(self, selector):
        """Scroll there and press the mouse in its middle."""
        place = self.eval(f"(element => {{ element.scrollIntoView({{block: 'center', behavior: "
                          f"'instant'}});const box = element.getBoundingClientRect();return "
                          "[box.x + box.width / 2, box.y + box.height / 2]; "
                          f"}})(document.querySelector({json.dumps(selector)}))")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left",
                      clickCount=1)

    def type(self, text):
        """Type into what has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, *keys):
        """Press keys one after the other: "Tab", "Enter", "a", "Shift+Tab", "Control+Enter"."""
        for combination in keys:
            *held, key = combination.split("+") if len(combination) > 1 else [combination]
            code, text = KEYS.get(key, (ord(key.upper()), key) if len(key) == 1 else (0, ""))
            held = sum(MODIFIERS[name] for name in held)
            text = "" if held & 7 else text
            for kind in ("keyDown", "keyUp"):
                self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                          windowsVirtualKeyCode=code, modifiers=held,
                          **({"text": text} if text and kind == "keyDown" else {}))

    def screenshot(self, path, whole=False):
        """A PNG of what is seen, or of the whole page."""
        picture = self.call("Page.captureScreenshot", format="png",
                            captureBeyondViewport=whole)["data"]
        Path(path).write_bytes(base64.b64decode(picture))

    def close(self):
        self.browser.call("Target.closeTarget", targetId=self._target)
