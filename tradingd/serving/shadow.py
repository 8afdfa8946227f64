"""Beside the session: the challenger predicts, and what both predicted goes to disk.

The session only appends to a line in memory; a thread does the rest, and may fail as it likes.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from tradingd.domain.advice import Abstention, Advice
from tradingd.kits.failure import Failure
from tradingd.serving.bundle import Bundle
from tradingd.serving.prediction_log import Floats, Predicted, PredictionLog

log = logging.getLogger(__name__)

CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
_LOOK_SECONDS: Final = 0.25
_PART_ROWS: Final = 4_096

type Counted = Callable[[str, float], None]
"""Takes (role, seconds) of a prediction; any thread."""


class Shadow:
    """Records predictions, and lets a challenger predict the same rows.

    Parameters
    ----------
    records : PredictionLog
        Where they go.
    counted : Callable
        Hears of the challenger's predictions.
    most : int
        Predictions in memory, at most; more are lost and counted.
    flush_seconds : float
        What a sudden death may lose.

    Attributes
    ----------
    written, lost, challenged : int
        Predictions on disk, predictions that could not be kept, predictions of challengers.
    trouble : str
        Why nothing is written, empty when it is.
    """

    def __init__(
        self,
        records: PredictionLog,
        *,
        counted: Counted = lambda _role, _seconds: None,
        most: int = 20_000,
        flush_seconds: float = 60.0,
    ) -> None:
        self.written = self.lost = self.challenged = 0
        self.trouble = ""
        self.refused = ""
        """Why there is no challenger; empty when there is, or none was named."""
        self._records = records
        self._counted = counted
        self._most = most
        self._flush_seconds = flush_seconds
        self._waiting: deque[tuple[Advice, Floats, int]] = deque()
        self._challenger: Bundle | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._tried = time.monotonic()

    # -- the session's side ----------------------------------------------------------------------

    @property
    def challenger(self) -> Bundle | None:
        """Who predicts in the champion's shadow."""
        return self._challenger

    def challenge(self, bundle: Bundle | None, why: str = "") -> None:
        """Let another challenger predict from now on, or none; `why` there is none."""
        self._challenger, self.refused = bundle, why

    def take(self, advice: Advice, row: Floats | None, took_ns: int) -> None:
        """Take an answer of the champion; about a microsecond, never waits, keeps a copy of `row`.

        Before `start` nothing is taken: bars of the past may be what a model was trained on.
        """
        if self._thread is None or row is None or advice.abstention is Abstention.MISSING_FEATURES:
            return
        if len(self._waiting) >= self._most:
            self.lost += 1
            return
        self._waiting.append((advice, row.copy(), took_ns))

    def start(self) -> None:
        """Begin to take answers."""
        # A daemon thread: a process that ends without an orderly stop must not wait for a disk.
        self._thread = threading.Thread(target=self._work, name="predictions", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """Write what waits and end; False when that took longer. Blocks."""
        self._stopping.set()
        if self._thread is None:
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    # -- the thread's side -----------------------------------------------------------------------

    def _work(self) -> None:
        self._disk(self._begun)
        while not self._stopping.wait(_LOOK_SECONDS):
            self._drain()
            due = time.monotonic() - self._tried > self._flush_seconds
            full = self._records.buffered >= _PART_ROWS and not self.trouble
            if full or (due and self._records.buffered):
                self._disk(self._records.flush)
        self._drain()
        self._disk(self._records.end)

    def _drain(self) -> None:
        while self._waiting:
            advice, row, took = self._waiting.popleft()
            if advice.score is not None:
                self._keep(CHAMPION, advice, row, took)
            challenger = self._challenger
            if challenger is not None and advice.ts < challenger.expires_ns:
                self._challenged(challenger, advice, row)

    def _challenged(self, challenger: Bundle, asked: Advice, row: Floats) -> None:
        began = time.perf_counter_ns()
        try:
            score = challenger.predictor.one(row)
            found = challenger.opinion(score)
        except Exception as error:  # a challenger must never be the end of the record
            log.exception("the challenger failed and is not asked any more")
            self.challenge(None, f"{challenger.id} failed: {type(error).__name__}: {error}")
            return
        took = time.perf_counter_ns() - began
        if not math.isfinite(score):
            return
        advice = Advice(
            symbol=asked.symbol,
            ts=asked.ts,
            model=challenger.id,
            score=score,
            probability=found.probability,
            low=found.low,
            high=found.high,
            about_signal=challenger.about_signal,
        )
        self.challenged += 1
        self._counted(CHALLENGER, took / 1e9)
        self._keep(CHALLENGER, advice, row, took)

    def _keep(self, role: str, advice: Advice, row: Floats, took: int) -> None:
        if self._records.buffered >= self._most:
            self.lost += 1
            return
        assert advice.score is not None
        one = Predicted(
            ts=advice.ts,
            symbol=advice.symbol,
            model=advice.model,
            role=role,
            score=advice.score,
            probability=advice.probability,
            low=advice.low,
            high=advice.high,
            took_ns=took,
            row=row,
        )
        self._records.append(one)

    def _begun(self) -> int:
        self._records.begin()
        return 0

    def _disk(self, work: Callable[[], int]) -> None:
        """Do what may meet a disk that is full; what is in memory is tried again later."""
        self._tried = time.monotonic()
        try:
            self.written += work()
        except (OSError, Failure) as error:
            self.trouble = error.line() if isinstance(error, Failure) else str(error)
            log.warning("predictions are not recorded: %s", self.trouble)
        except Exception as error:  # the thread must live on
            self.trouble = f"{type(error).__name__}: {error}"
            self.lost += self._records.drop()
            log.exception("predictions are not recorded")
        else:
            self.trouble = ""
