"""A browser draws every plot of the page, in both schemes, under the page's own policy."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.learning.made_report import made_report
from tradingd.learning.page import write

BROWSER = shutil.which("chromium")


@pytest.mark.skipif(BROWSER is None, reason="no chromium here")
@pytest.mark.parametrize("scheme", [0, 1], ids=["dark", "light"])
def test_a_browser_draws_every_plot(tmp_path: Path, scheme: int) -> None:
    path = tmp_path / "report.html"
    write(made_report(), path)
    assert BROWSER is not None
    drawn = subprocess.run(
        [
            BROWSER,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=10000",
            f"--blink-settings=preferredColorScheme={scheme}",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    # Each plot is drawn on three layers of its own.
    assert drawn.count('<div class="plot-container') == 11
    assert "rgb(130, 169, 255)" in drawn if scheme == 0 else "rgb(43, 92, 196)" in drawn
    assert "$" not in "".join(part.split('"')[0] for part in drawn.split('fill="')[1:])
