"""Read a model in a process of its own first: a library that dies of a bad file dies alone."""

import subprocess
import sys
from typing import Final

import msgspec

from tradingd.kits.failure import ExitCode, Failure
from tradingd.serving.predictors import damaged, predictor_of

_SECONDS: Final = 60.0
_REFUSED: Final = 3


class _Refusal(msgspec.Struct, frozen=True):
    """What the child says of a model that it read and refused; only the parent knows where."""

    what: str
    expected: str
    found: str
    next_step: str


def probe(content: bytes, model_format: str, features: int, *, where: str) -> None:
    """Have a child process read the model and predict one row; it takes about half a second.

    Raises
    ------
    Failure
        CONTRACT when it refuses the model or dies of it.
    """
    command = [sys.executable, "-m", "tradingd.serving.probe", model_format, str(features)]
    try:
        done = subprocess.run(  # noqa: S603 - our own module, no shell
            command, input=content, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise damaged(where, f"a process that read it for {_SECONDS:.0f} s") from error
    if done.returncode == _REFUSED:
        # The last line: libraries may have said something of their own.
        said = msgspec.json.decode(done.stdout.splitlines()[-1], type=_Refusal)
        raise Failure(code=ExitCode.CONTRACT, where=where, **msgspec.structs.asdict(said))
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise damaged(where, *last or (f"a process that died of it ({done.returncode})",))


def main(arguments: list[str]) -> int:
    """Read the model on the standard input and predict a row of zeros."""
    import numpy as np

    model_format, features = arguments
    content = sys.stdin.buffer.read()
    try:
        predictor = predictor_of(content, model_format, int(features), where="-")
    except Failure as failure:
        said = _Refusal(failure.what, failure.expected, failure.found, failure.next_step)
        sys.stdout.buffer.write(b"\n" + msgspec.json.encode(said))
        return _REFUSED
    predictor.one(np.zeros(int(features)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
