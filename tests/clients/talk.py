"""A WebSocket that stays open: says something ten times a second, and tells in lines
of JSON when it was `opened`, how often it was `echoed` (each ten times), and when it
was `closed`.

    talk.py URL
"""

import asyncio
import json
import sys

import aiohttp


def tell(event, **facts):
    print(json.dumps({"event": event, **facts}), flush=True)


async def main(url):
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        tell("opened")
        count = 0
        while True:
            await socket.send_str(f"{count}")
            answer = await socket.receive(timeout=10)
            if answer.type != aiohttp.WSMsgType.TEXT or answer.data != f"{count}":
                tell("closed", type=str(answer.type), after=count)
                return 1
            count += 1
            if count % 10 == 0:
                tell("echoed", count=count)
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1])))
