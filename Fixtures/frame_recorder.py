"""A proxy in front of one broker that records samples of the frames it forwards; see record-frames.sh.

usage: frame_recorder.py LISTEN-PORT BROKER-PORT FILE

On SIGTERM it writes FILE and exits. FILE has one line per frame, `API VERSION request|response BASE64`: API is the API
key, and BASE64 the frame without its length. For each API, version and direction it keeps the first SAMPLES frames of
different lengths.
"""

import asyncio
import base64
import signal
import struct
import sys

SAMPLES = 3
LARGEST = 3000
# APIs that KafkaWire does not use: telemetry (71, 72), share groups (76 to 79), the raft quorum (55), listings of
# transactions and producers (61, 65, 66), paged topic descriptions (75), and requests between brokers (27).
LEFT_OUT = {27, 55, 61, 65, 66, 71, 72, 75, 76, 77, 78, 79}


class Recorder:
    def __init__(self):
        self.frames = {}

    def keep(self, api, version, direction, frame):
        if api in LEFT_OUT or len(frame) > LARGEST:
            return
        kept = self.frames.setdefault((api, version, direction), {})
        if len(kept) < SAMPLES:
            kept.setdefault(len(frame), frame)

    def write(self, path):
        with open(path, "w") as file:
            for (api, version, direction), kept in sorted(self.frames.items()):
                for _, frame in sorted(kept.items()):
                    print(api, version, direction, base64.b64encode(frame).decode(), file=file)


async def relay(reader, writer, note):
    """Forwards complete frames until the connection ends."""
    try:
        while True:
            length = await reader.readexactly(4)
            frame = await reader.readexactly(struct.unpack(">i", length)[0])
            note(frame)
            writer.write(length + frame)
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve(recorder, broker_port, reader, writer):
    try:
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", broker_port)
    except OSError:
        writer.close()
        return
    waiting = {}

    def request(frame):
        api, version, correlation = struct.unpack_from(">hhi", frame)
        waiting[correlation] = api, version
        recorder.keep(api, version, "request", frame)

    def response(frame):
        (correlation,) = struct.unpack_from(">i", frame)
        api, version = waiting.pop(correlation)
        # The broker answers an unsupported version of ApiVersions in version 0.
        if api == 18 and struct.unpack_from(">h", frame, 4)[0] == 35:
            version = 0
        recorder.keep(api, version, "response", frame)

    await asyncio.gather(relay(reader, broker_writer, request), relay(broker_reader, writer, response))


async def main(listen_port, broker_port, path):
    recorder = Recorder()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    server = await asyncio.start_server(
        lambda reader, writer: serve(recorder, broker_port, reader, writer), "127.0.0.1", listen_port)
    async with server:
        await ended.wait()
    recorder.write(path)


asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
