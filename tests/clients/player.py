"""Chromium on a page with a video: it tells that it plays, in a line of JSON.

    player.py URL SCREENSHOT

Told are, once frames go on coming, the size of the picture, and where the video is from
(`video`). A picture of the page is written then, where its name is not empty.
"""

import sys

from devtools import run, tell

LOOK = """(() => {
    const video = document.querySelector("video");
    if (!video?.videoWidth || video.paused) return null;
    return {
        width: video.videoWidth,
        height: video.videoHeight,
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        source: video.currentSrc,
    };
})()"""


async def visit(page):
    url, screenshot = sys.argv[1:]
    await page.open(url)
    first = await page.until(LOOK)
    await page.until(f"{LOOK}?.frames > {first['frames'] + 10}")
    if screenshot:
        await page.picture(screenshot)
    tell("video", **(await page.value(LOOK)), before=first["frames"])


if __name__ == "__main__":
    run(visit)
