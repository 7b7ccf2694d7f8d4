"""A real Chromium without a window, driven over the pipe of its developer tools."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time

# The browser reads commands from file 3 and answers on file 4.
_WRAPPER = """
import os, sys
reading, writing = os.dup(int(sys.argv[1])), os.dup(int(sys.argv[2]))
while reading in (3, 4): reading = os.dup(reading)
while writing in (3, 4): writing = os.dup(writing)
os.dup2(reading, 3); os.dup2(writing, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_chromium():
    """Return the path of a Chromium, None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next(filter(None, map(shutil.which, names)), None)


class Browser:
    """One page of a browser; a context manager."""

    def __init__(self, profile, timeout=60):
        self.timeout = timeout
        self.complaints = []
        commands, self._out = os.pipe()
        self._in, answers = os.pipe()
        options = ["--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu"]
        options += ["--no-first-run", "--disable-dev-shm-usage", "--disable-background-networking"]
        options += ["--disable-component-update", f"--user-data-dir={profile}", "about:blank"]
        command = [sys.executable, "-c", _WRAPPER, str(commands), str(answers), find_chromium()]
        self._process = subprocess.Popen(
            command + options,
            pass_fds=(commands, answers),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(answers)
        self._buffer, self._next, self._session = b"", 0, None
        targets = self.send("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        attached = self.send("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self._process.kill()
        self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def send(self, method, **parameters):
        """Send a command and return its result."""
        self._next += 1
        message = {"id": self._next, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        deadline = time.monotonic() + self.timeout
        while True:
            answer = self._receive(deadline)
            if answer.get("id") == self._next:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def _receive(self, deadline):
        while b"\0" not in self._buffer:
            rest = deadline - time.monotonic()
            if rest <= 0 or not select.select([self._in], [], [], rest)[0]:
                raise TimeoutError("Chromium does not answer.")
            data = os.read(self._in, 1 << 20)
            if not data:
                raise RuntimeError("Chromium has ended.")
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event):
        """Keep what the console complains of, and every request for anything but the page."""
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.complaints.append(str(parameters["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            self.complaints.append(str(parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.complaints.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            url = parameters["request"]["url"]
            if not url.startswith("file:"):
                self.complaints.append(f"asks for {url}")

    def open(self, path, *, width=1200, height=900, is_dark=False, is_phone=False):
        """Open a file and wait until its page says that it is ready."""
        self.complaints.clear()
        features = [{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}]
        self.send("Emulation.setEmulatedMedia", features=features)
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if is_phone else 1,
            mobile=is_phone,
        )
        # What is still there from the page before must not pass for the new one.
        self.run("document.documentElement && (document.documentElement.dataset.ready = 'old')")
        self.send("Page.navigate", url=path.resolve().as_uri())
        self.wait_for("document.documentElement?.dataset.ready === 'yes'")
        self.run("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def run(self, script):
        """Return the value of an expression."""
        found = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"]))
        return found["result"].get("value")

    def wait_for(self, condition):
        """Wait until an expression is true."""
        deadline = time.monotonic() + self.timeout
        while not self.run(condition):
            if time.monotonic() > deadline:
                raise TimeoutError(f"Never true: {condition}; {self.complaints}")
            time.sleep(0.05)

    def screenshot(self, path, *, is_whole=True):
        """Save what the page looks like as PNG."""
        found = self.send("Page.captureScreenshot", captureBeyondViewport=is_whole, format="png")
        path.write_bytes(base64.b64decode(found["data"]))

    def pdf(self):
        """Return the printed page."""
        return base64.b64decode(self.send("Page.printToPDF")["data"])
