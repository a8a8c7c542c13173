"""Chromium on a page of the room service: it tells what happens, in lines of JSON.

    browser.py URL ROOM NAME create|join SCREENSHOT

It opens the page with a camera and a microphone that are not real, fills in the form,
and tells what it sees: the page (`page`), itself in the room (`entered`), and for the
first video of somebody else its size, the colours of its quarters, and that frames go
on coming (`video`). A picture of the page is written then. On SIGTERM it presses the
button that leaves, tells what the page says (`left`), and ends.
"""

import asyncio
import json
import sys

from devtools import run, tell

# The first video of another participant, drawn and measured.
LOOK = """(() => {
    const video = document.querySelector("figure:not(.own) video");
    if (!video?.videoWidth) return null;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(video, 0, 0);
    const at = (x, y) => [...context.getImageData(canvas.width * x, canvas.height * y, 1, 1).data].slice(0, 3);
    return {
        width: canvas.width,
        height: canvas.height,
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        name: video.parentElement.querySelector("figcaption").textContent,
        colours: [at(.25, .25), at(.75, .25), at(.25, .75), at(.75, .75)],
    };
})()"""


async def visit(page):
    url, room, name, what, screenshot = sys.argv[1:]
    await page.open(url)
    await page.until("document.readyState === 'complete' && document.title !== ''")
    language = await page.value("document.documentElement.lang")
    tell("page", title=await page.value("document.title"), language=language)
    if screenshot:
        await page.picture(f"{screenshot}.form.png")
    for field, value in [("user", name), ("room", room)]:
        await page.value(f"document.getElementById('{field}').value = {json.dumps(value)}")
    await page.press(f"button[value={what}]")
    await page.until("!document.getElementById('stage').hidden")
    tell("entered", room=await page.value("document.getElementById('title').textContent"))
    first = await page.until(LOOK)
    await page.until(f"{LOOK}?.frames > {first['frames'] + 10}")
    await page.until("document.querySelector('figure.own video')?.videoWidth")
    if screenshot:
        await page.picture(f"{screenshot}.room.png")
    tell("video", **(await page.value(LOOK)), before=first["frames"])


async def leave(page):
    # The button moves when somebody else leaves, and a click may miss it.
    while await page.value("document.getElementById('enter').hidden"):
        await page.press("#leave")
        await asyncio.sleep(0.5)
    tell("left", status=await page.value("document.getElementById('status').textContent"))


if __name__ == "__main__":
    run(visit, leave)
