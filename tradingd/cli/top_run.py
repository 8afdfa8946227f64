"""Run `tradingctl top`: the full screen on a terminal, one frame elsewhere."""

import io
import select
import sys
import termios
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live

from tradingd.cli.control_run import client
from tradingd.cli.top import TopEnded, TopParams
from tradingd.cli.top_frame import frame
from tradingd.cli.top_watch import Look, Watch

_KEYS = ("q", "Q", "\x1b", "\x03")


def run(params: TopParams) -> TopEnded:
    """Watch until q or Ctrl-C; a daemon that goes away is waited for."""
    watch = Watch(client(params), params.every)
    if params.once or not sys.stdout.isatty():
        return _once(watch, params)
    return TopEnded(instance=params.instance, frames=_watch(watch, params))


def render(ended: TopEnded) -> None:
    """Print the single frame; a watched screen is gone when it ends."""
    sys.stdout.write(ended.frame)


def _once(watch: Watch, params: TopParams) -> TopEnded:
    out = io.StringIO()
    console = Console(file=out, width=params.width, height=params.height, no_color=True)
    look = watch.once()
    console.print(frame(look, params.instance, params.width, params.height, look.seen))
    return TopEnded(instance=params.instance, frames=1, frame=out.getvalue())


def _watch(watch: Watch, params: TopParams) -> int:
    console = Console(highlight=False)
    frames = 0
    watch.start()
    with (
        Live(console=console, screen=True, auto_refresh=False) as live,
        _keys() as keys,
    ):
        while not keys.pressed(wait=0.1):
            size = console.size
            if watch.changed.is_set() or frames == 0 or watch.look.trouble:
                watch.changed.clear()
                live.update(_drawn(watch.look, params, size.width, size.height), refresh=True)
                frames += 1
            elif size != keys.size:
                live.update(_drawn(watch.look, params, size.width, size.height), refresh=True)
            keys.size = size
    return frames


def _drawn(look: Look, params: TopParams, width: int, height: int) -> RenderableType:
    return frame(look, params.instance, width, height, time.monotonic())


class _Keys:
    """Reads single keys; without a terminal on standard input none ever comes."""

    def __init__(self) -> None:
        self.size: object = None

    def pressed(self, wait: float) -> bool:
        """Whether a key that leaves was pressed; waits up to `wait` seconds."""
        if not sys.stdin.isatty():
            time.sleep(wait)
            return False
        ready, _, _ = select.select([sys.stdin], [], [], wait)
        return bool(ready) and sys.stdin.read(1) in (*_KEYS, "")


@contextmanager
def _keys() -> Iterator[_Keys]:
    if not sys.stdin.isatty():
        yield _Keys()
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield _Keys()
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
