"""Passes lines on between a client and the simulated broker, and notes when a submit came in.

    python -m tests.benchmarks.daemon.proxy LISTEN UPSTREAM STAMPS

A process of its own, so that what it notes is when the order had left the daemon. STAMPS gets a
line per order: client order id, monotonic nanoseconds (one clock for all processes of a machine).
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TextIO

import uvloop


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stamps: TextIO | None
) -> None:
    while line := await reader.readline():
        at = time.perf_counter_ns()
        writer.write(line)
        if stamps is not None and b'"submit"' in line:
            stamps.write(f"{json.loads(line)['client_order_id']} {at}\n")
            stamps.flush()
    writer.close()


async def main(listen: str, upstream: str, stamps: TextIO) -> None:
    """Serve until the client has gone."""
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_unix_connection(upstream, limit=1 << 26)
        await asyncio.gather(_pass_on(reader, back, stamps), _pass_on(there, writer, None))
        gone.set()

    server = await asyncio.start_unix_server(serve, listen, limit=1 << 26)
    await gone.wait()
    server.close()


if __name__ == "__main__":
    with Path(sys.argv[3]).open("a") as file:
        uvloop.run(main(sys.argv[1], sys.argv[2], file))
