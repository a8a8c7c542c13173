#!/usr/bin/env python3
"""Two clients of an ion-sfu, spoken to by JSON-RPC: one publishes a red picture, the other gets it.

    ion_sfu.py URL [--relay SERVER SECRET]

URL leads to the SFU's WebSocket, directly or through an application. With --relay, both send and
get media through that TURN server alone, by a password made of its secret. Tells by one line of JSON what the second one saw.
"""

import argparse
import asyncio
import base64
import hmac
import json
import sys
import time
import uuid

import av
import websockets
from aiortc import (
    RTCConfiguration,
    RTCIceServer,
    RTCIceTransportPolicy,
    RTCPeerConnection,
    RTCSessionDescription,
    VideoStreamTrack,
)
from aiortc.sdp import candidate_from_sdp

# Red, as Y, U and V.
RED = (81, 90, 240)
FRAMES = 10
DEADLINE = 30


class Red(VideoStreamTrack):
    async def recv(self):
        frame = av.VideoFrame(width=320, height=240, format="yuv420p")
        for plane, value in zip(frame.planes, RED):
            plane.update(bytes([value]) * plane.buffer_size)
        frame.pts, frame.time_base = await self.next_timestamp()
        return frame


class Client:
    """As every client of ion-sfu, it has a connection for what it sends and one for what it gets."""

    def __init__(self, url, session, config):
        self.url, self.session = url, session
        self.connections = [RTCPeerConnection(config), RTCPeerConnection(config)]
        self.publisher, self.subscriber = self.connections
        self.frames, self.last = 0, None
        # Candidates that came before the description which they belong to.
        self.early = [[], []]
        self.answered = {}
        self.answering = asyncio.Lock()
        self.tasks = []
        self.subscriber.on("track", lambda track: self.spawn(self.watch(track)))

    def spawn(self, work):
        self.tasks.append(asyncio.ensure_future(work))

    async def watch(self, track):
        while track.kind == "video":
            self.last = await track.recv()
            self.frames += 1

    async def join(self, track=None):
        self.socket = await websockets.connect(self.url)
        self.spawn(self.read())
        # Who only watches offers something as well.
        self.publisher.createDataChannel("ion-sfu")
        if track is not None:
            self.publisher.addTrack(track)
        await self.publisher.setLocalDescription(await self.publisher.createOffer())
        offer = {"type": "offer", "sdp": self.publisher.localDescription.sdp}
        params = {"sid": self.session, "uid": uuid.uuid4().hex, "offer": offer}
        answer = self.answered[1] = asyncio.get_running_loop().create_future()
        await self.say({"id": 1, "method": "join", "params": params})
        await self.publisher.setRemoteDescription(RTCSessionDescription(**await answer))
        await self.add_early(0)

    async def say(self, message):
        await self.socket.send(json.dumps({"jsonrpc": "2.0", **message}))

    async def read(self):
        async for text in self.socket:
            message = json.loads(text)
            match message.get("method"):
                case "offer":
                    self.spawn(self.answer(message["params"]))
                case "trickle":
                    await self.trickle(message["params"])
                case None if "error" in message:
                    raise RuntimeError(message["error"])
                case None:
                    self.answered.pop(message["id"]).set_result(message["result"])
        raise RuntimeError("the SFU hung up")

    async def answer(self, offer):
        async with self.answering:
            # aiortc starts nothing for what a second offer adds while the first one connects.
            while self.subscriber.remoteDescription and self.subscriber.connectionState != "connected":
                await asyncio.sleep(0.05)
            await self.subscriber.setRemoteDescription(RTCSessionDescription(**offer))
            await self.subscriber.setLocalDescription(await self.subscriber.createAnswer())
            await self.add_early(1)
            local = self.subscriber.localDescription
            await self.say({"method": "answer", "params": {"desc": {"type": local.type, "sdp": local.sdp}}})

    async def trickle(self, params):
        told, target = params["candidate"], params["target"]
        if not told["candidate"]:
            return
        candidate = candidate_from_sdp(told["candidate"].removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = told["sdpMid"], told["sdpMLineIndex"]
        self.early[target].append(candidate)
        connection = self.connections[target]
        if connection.remoteDescription and connection.signalingState == "stable":
            await self.add_early(target)

    async def add_early(self, target):
        early, self.early[target] = self.early[target], []
        for candidate in early:
            await self.connections[target].addIceCandidate(candidate)

    def paths(self):
        """How media comes and goes: by which kind of candidate of its own, to which address."""
        for connection in self.connections:
            for transport in connection._RTCPeerConnection__iceTransports:
                for pair in transport._connection._nominated.values():
                    yield {"local": pair.local_candidate.type, "remote": pair.remote_addr[0]}

    def broken(self):
        failed = (task.exception() for task in self.tasks if task.done() and not task.cancelled())
        return next((error for error in failed if error), None)

    async def close(self):
        for task in self.tasks:
            task.cancel()
        for connection in self.connections:
            await connection.close()
        await self.socket.close()


async def main(arguments):
    servers, policy = [], RTCIceTransportPolicy.ALL
    if arguments.relay:
        server, secret = arguments.relay
        user = str(int(time.time()) + 600)
        password = base64.b64encode(hmac.digest(secret.encode(), user.encode(), "sha1")).decode()
        servers, policy = [RTCIceServer(server, user, password)], RTCIceTransportPolicy.RELAY
    config = RTCConfiguration(iceServers=servers, iceTransportPolicy=policy)
    session, began = f"room-{uuid.uuid4().hex}", time.monotonic()
    ann, ben = (Client(arguments.url, session, config) for _ in range(2))
    async with asyncio.timeout(DEADLINE):
        await ann.join(Red())
        await ben.join()
        while ben.frames < FRAMES:
            for client in (ann, ben):
                if error := client.broken():
                    raise error
            await asyncio.sleep(0.05)
    middle = [bytes(plane)[plane.line_size * plane.height // 2 + plane.width // 2] for plane in ben.last.planes]
    seen = {
        "frames": ben.frames,
        "seconds": round(time.monotonic() - began, 2),
        "size": [ben.last.width, ben.last.height],
        "is_red": all(abs(value - red) < 12 for value, red in zip(middle, RED)),
        "paths": [path for client in (ann, ben) for path in client.paths()],
    }
    print(json.dumps(seen))
    for client in (ann, ben):
        await client.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--relay", nargs=2, metavar=("SERVER", "SECRET"))
    sys.exit(asyncio.run(main(parser.parse_args())))
