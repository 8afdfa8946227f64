"""Read a model in a process of its own first: a library that dies of a bad file dies alone."""

import subprocess
import sys
from typing import Final

from tradingd.kits.failure import Failure
from tradingd.serving.predictors import damaged, predictor_of

_SECONDS: Final = 60.0
_REFUSED: Final = 3


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
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise damaged(where, said[-1] if said else f"a process that died of it ({done.returncode})")


def main(arguments: list[str]) -> int:
    """Read the model on the standard input and predict a row of zeros."""
    import numpy as np

    model_format, features = arguments
    content = sys.stdin.buffer.read()
    try:
        predictor = predictor_of(content, model_format, int(features), where="-")
    except Failure as failure:
        sys.stderr.write(f"{failure}\n")
        return _REFUSED
    predictor.one(np.zeros(int(features)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
