import logging

import pytest

from tradingd.telemetry.engine_output import log_line


@pytest.mark.parametrize(
    ("line", "logger", "level", "message"),
    [
        ("\x1b[1m2026-11-21T14:51:56.017443149Z\x1b[0m [INFO] TRADER-001.Node: hello\x1b[0m\n",
         "engine", logging.INFO, "Node: hello"),
        ("2026-11-21T14:51:56.017465172Z [WARN] TRADER-001.RiskEngine: careful: x",
         "engine", logging.WARNING, "RiskEngine: careful: x"),
        ("2026-11-21T14:51:56.017465172Z [ERROR] TRADER-001.DataEngine: bad 5% of %s",
         "engine", logging.ERROR, "DataEngine: bad 5% of %s"),
        ("thread panicked at 'x'", "stdout", logging.INFO, "thread panicked at 'x'"),
    ],
    ids=["info", "warning", "error", "foreign"],
)  # fmt: skip
def test_a_line_of_the_engine_becomes_a_record(
    line: str, logger: str, level: int, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    log_line(line)
    (record,) = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == (logger, level, message)


def test_an_empty_line_is_no_record(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    log_line("\x1b[0m \n")
    assert caplog.records == []
