"""A proxy before one broker that keeps samples of the frames which pass it; see record-frames.sh.

usage: frame_recorder.py LISTEN-PORT BROKER-PORT FILE

Ends at SIGTERM, and writes FILE then: a line for each frame, `API VERSION request|response BASE64`, where API is the
number on the wire and BASE64 the frame without its length. For each API, version and direction the first frames of
different lengths are kept.
"""

import asyncio
import base64
import signal
import struct
import sys

SAMPLES = 3
LARGEST = 3000
# What KafkaWire has no use for: telemetry (71, 72), share groups (76 to 79), the raft quorum (55), listings of
# transactions and producers (61, 65, 66), topics in pages (75), and what brokers tell each other (27).
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
    """Passes frames on, each as a whole."""
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
        # A version of ApiVersions that the broker doesn't know is answered in version 0.
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
