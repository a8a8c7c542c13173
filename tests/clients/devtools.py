"""Chromium with one tab, driven by the DevTools protocol, for the scripts beside this.

A script calls `run` with what it does on a page, and with what it does there when it is
told to end (SIGTERM). What the page writes to its console, and errors, are told as
`console`.

BROWSER_LANGUAGE is the one that pages are asked for. The authorities to trust are in the
file SSL_CERT_FILE; what the browser keeps goes into a directory in HOME.
"""

import asyncio
import base64
import itertools
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

import aiohttp

CHROMIUM = [
    "chromium",
    "--headless",
    "--no-sandbox",  # we are root, and alone in a namespace
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--window-size=1000,760",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--remote-debugging-port=0",
]
START = time.monotonic()


def tell(event, **facts):
    seconds = round(time.monotonic() - START, 3)
    print(json.dumps({"event": event, "seconds": seconds, **facts}), flush=True)


def trust(home):
    """Chromium asks NSS whom its user trusts."""
    store = home / ".pki/nssdb"
    store.mkdir(parents=True)
    certutil = ["certutil", "-d", f"sql:{store}"]
    subprocess.run([*certutil, "-N", "--empty-password"], check=True)
    end = "-----END CERTIFICATE-----\n"
    # Of a file that holds several it takes the first.
    certificates = pathlib.Path(os.environ["SSL_CERT_FILE"]).read_text().split(end)[:-1]
    for number, certificate in enumerate(certificates):
        add = [*certutil, "-A", "-n", f"tests {number}", "-t", "C,,"]
        subprocess.run(add, input=certificate + end, text=True, check=True)


class Page:
    """A tab, by the DevTools protocol."""

    def __init__(self, socket):
        self.socket, self.numbers, self.calls, self.session = socket, itertools.count(1), {}, None
        self.reading = asyncio.create_task(self.read())

    async def read(self):
        async for message in self.socket:
            told = message.json()
            if "id" in told:
                self.calls.pop(told["id"]).set_result(told)
            elif told["method"] == "Runtime.consoleAPICalled":
                words = [word.get("value", word.get("description")) for word in told["params"]["args"]]
                tell("console", level=told["params"]["type"], words=words)
            elif told["method"] == "Runtime.exceptionThrown":
                tell("console", level="exception", words=[told["params"]["exceptionDetails"]["text"]])
            elif told["method"] == "Log.entryAdded":
                entry = told["params"]["entry"]
                tell("console", level=entry["level"], words=[entry["text"], entry.get("url")])

    async def call(self, method, **params):
        number = next(self.numbers)
        self.calls[number] = asyncio.get_running_loop().create_future()
        request = {"id": number, "method": method, "params": params}
        await self.socket.send_json(request | ({"sessionId": self.session} if self.session else {}))
        told = await asyncio.wait_for(self.calls[number], 30)
        if "error" in told:
            raise RuntimeError(f"{method}: {told['error']}")
        return told["result"]

    async def open(self, url):
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ["Runtime", "Log", "Page"]:
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=url)

    async def value(self, expression):
        told = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(f"{expression}: {told['exceptionDetails']}")
        return told["result"].get("value")

    async def until(self, expression):
        """Waits for something that is so; the one who started us knows for how long."""
        while not (value := await self.value(expression)):
            await asyncio.sleep(0.1)
        return value

    async def press(self, selector):
        """A click as a person's: some things a browser does for nobody else."""
        middle = f"""(() => {{
            const box = document.querySelector({json.dumps(selector)}).getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
        x, y = await self.value(middle)
        for kind in ["mousePressed", "mouseReleased"]:
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def picture(self, path):
        shot = await self.call("Page.captureScreenshot")
        pathlib.Path(path).write_bytes(base64.b64decode(shot["data"]))


async def devtools(browser):
    """The address that Chromium prints for those who drive it."""
    while line := (await browser.stderr.readline()).decode():
        if line.startswith("DevTools listening on "):
            return line.split()[-1]
    raise RuntimeError("chromium ended")


async def drain(stream):
    while await stream.read(65536):
        pass


def run(visit, leave=None):
    """Opens a tab and hands it to `visit`; on SIGTERM it is handed to `leave`."""
    asyncio.run(main(visit, leave))


async def main(visit, leave):
    with tempfile.TemporaryDirectory(dir=os.environ["HOME"], ignore_cleanup_errors=True) as home:
        trust(pathlib.Path(home))
        await browse(home, visit, leave)


async def browse(home, visit, leave):
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    language = os.environ["BROWSER_LANGUAGE"]
    command = [*CHROMIUM, f"--user-data-dir={home}/profile", f"--accept-lang={language}"]
    browser = await asyncio.create_subprocess_exec(
        *command, stderr=subprocess.PIPE, env={**os.environ, "HOME": home}
    )
    try:
        address = await asyncio.wait_for(devtools(browser), 30)
        draining = asyncio.create_task(drain(browser.stderr))
        async with aiohttp.ClientSession() as session, session.ws_connect(address, max_msg_size=0) as socket:
            page = Page(socket)
            visiting = asyncio.create_task(visit(page))
            ending = asyncio.create_task(ended.wait())
            await asyncio.wait({visiting, ending, page.reading}, return_when=asyncio.FIRST_COMPLETED)
            if page.reading.done():
                page.reading.result()
                raise RuntimeError("the browser hung up")
            if visiting.done():
                visiting.result()
                await ended.wait()
                if leave:
                    await asyncio.wait_for(leave(page), 10)
            visiting.cancel()
        draining.cancel()
    finally:
        browser.terminate()
        await browser.wait()
