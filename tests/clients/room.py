"""A LiveKit client that joins a room and tells what happens, in lines of JSON.

    room.py URL ROOM IDENTITY publish|watch|stay [--relay]
    room.py URL ROOM IDENTITY delete

`publish` sends a synthetic picture: four quarters of the colours below. `watch`
waits for somebody's video, tells the mean colours of the quarters of the frames
that arrive (`frame`, after ten of them), and stays. `stay` only joins. `delete`
asks the server to end the room. The key is `main`; its secret is in
LIVEKIT_API_SECRET, unless LIVEKIT_TOKEN has a token to join with, which then says who
this is. On SIGTERM the client leaves the room.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import time

import numpy
from livekit import api, rtc

WIDTH, HEIGHT, RATE = 320, 240, 15
QUARTERS = [(220, 40, 40), (40, 200, 40), (40, 40, 220), (230, 230, 230)]
ENOUGH = 10
START = time.monotonic()


def tell(event, **facts):
    seconds = round(time.monotonic() - START, 3)
    print(json.dumps({"event": event, "seconds": seconds, **facts}), flush=True)


def token(arguments):
    if given := os.environ.get("LIVEKIT_TOKEN"):
        return given
    grants = api.VideoGrants(room_join=True, room_create=True, room=arguments.room)
    secret = os.environ["LIVEKIT_API_SECRET"]
    access = api.AccessToken("main", secret).with_identity(arguments.identity)
    return access.with_grants(grants).to_jwt()


def picture():
    pixels = numpy.zeros((HEIGHT, WIDTH, 4), dtype=numpy.uint8)
    pixels[..., 3] = 255
    for index, colour in enumerate(QUARTERS):
        rows, columns = quarter(index, WIDTH, HEIGHT)
        pixels[rows, columns, :3] = colour
    return rtc.VideoFrame(WIDTH, HEIGHT, rtc.VideoBufferType.RGBA, pixels.tobytes())


def quarter(index, width, height):
    row, column = divmod(index, 2)
    return (
        slice(row * height // 2, (row + 1) * height // 2),
        slice(column * width // 2, (column + 1) * width // 2),
    )


def colours(frame):
    pixels = numpy.frombuffer(frame.data, dtype=numpy.uint8).reshape(frame.height, frame.width, 4)
    means = []
    for index in range(4):
        part = pixels[quarter(index, frame.width, frame.height)]
        height, width = part.shape[:2]
        # The middle of it: a codec mixes colours where they meet.
        middle = part[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4, :3]
        means.append([round(float(mean)) for mean in middle.reshape(-1, 3).mean(axis=0)])
    return means


async def publish(room):
    source = rtc.VideoSource(WIDTH, HEIGHT)
    track = rtc.LocalVideoTrack.create_video_track("picture", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA, simulcast=False)
    await room.local_participant.publish_track(track, options)
    tell("published")
    frame = picture()
    while True:
        source.capture_frame(frame)
        await asyncio.sleep(1 / RATE)


async def paths(room):
    """The kinds of the candidates that media takes, ours and the server's."""
    stats = await room.get_rtc_stats()
    found = []
    for name, reports in [("publish", stats.publisher_stats), ("subscribe", stats.subscriber_stats)]:
        of = {"local": {}, "remote": {}, "pair": [], "selected": set()}
        for report in reports:
            kind = report.WhichOneof("stats")
            one = getattr(report, kind)
            if kind == "local_candidate":
                of["local"][one.rtc.id] = one.candidate
            elif kind == "remote_candidate":
                of["remote"][one.rtc.id] = one.candidate
            elif kind == "candidate_pair":
                of["pair"].append(one)
            elif kind == "transport":
                of["selected"].add(one.transport.selected_candidate_pair_id)
        for pair in of["pair"]:
            if pair.rtc.id not in of["selected"]:
                continue
            ours = of["local"].get(pair.candidate_pair.local_candidate_id)
            theirs = of["remote"].get(pair.candidate_pair.remote_candidate_id)
            found.append(
                {
                    "name": name,
                    "local": ours and type_name(ours),
                    "address": ours and f"{ours.address}:{ours.port}",
                    "remote": theirs and f"{theirs.address}:{theirs.port}",
                    "protocol": ours and ours.protocol,
                }
            )
    return found


def type_name(candidate):
    field = candidate.DESCRIPTOR.fields_by_name["candidate_type"]
    return field.enum_type.values_by_number[candidate.candidate_type].name


def subscribed(track, tracks):
    if track.kind == rtc.TrackKind.KIND_VIDEO:
        tracks.put_nowait(track)


async def watch(room, tracks):
    track = await tracks.get()
    tell("subscribed")
    stream = rtc.VideoStream(track, format=rtc.VideoBufferType.RGBA)
    count = 0
    async for event in stream:
        count += 1
        if count == ENOUGH:
            frame = event.frame
            seen = {"width": frame.width, "height": frame.height, "colours": colours(frame)}
            tell("frame", frames=count, paths=await paths(room), **seen)


async def visit(arguments):
    ended = asyncio.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    room, tracks = rtc.Room(), asyncio.Queue()
    room.on("track_subscribed", lambda track, *_: subscribed(track, tracks))
    room.on("reconnecting", lambda: tell("reconnecting"))
    room.on("reconnected", lambda: tell("reconnected"))
    room.on("disconnected", lambda reason: (tell("disconnected", reason=reason), ended.set()))
    kind = rtc.IceTransportType.TRANSPORT_RELAY if arguments.relay else rtc.IceTransportType.TRANSPORT_ALL
    options = rtc.RoomOptions(rtc_config=rtc.RtcConfiguration(ice_transport_type=kind))
    await room.connect(arguments.url, token(arguments), options)
    tell("joined", room=room.name)
    work = {"publish": lambda: publish(room), "watch": lambda: watch(room, tracks)}
    doing = asyncio.create_task(work.get(arguments.what, ended.wait)())
    ending = asyncio.create_task(ended.wait())
    await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
    if doing.done() and not ended.is_set():
        doing.result()
    doing.cancel()
    await room.disconnect()


async def delete(arguments):
    secret = os.environ["LIVEKIT_API_SECRET"]
    url = arguments.url.replace("ws", "http", 1)
    async with api.LiveKitAPI(url, "main", secret) as server:
        await server.room.delete_room(api.DeleteRoomRequest(room=arguments.room))
    tell("deleted")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("room")
    parser.add_argument("identity")
    parser.add_argument("what", choices=["publish", "watch", "stay", "delete"])
    parser.add_argument("--relay", action="store_true")
    arguments = parser.parse_args()
    asyncio.run(delete(arguments) if arguments.what == "delete" else visit(arguments))


if __name__ == "__main__":
    sys.exit(main())
