"""Analyse files of order books: one report each, as JSON and as a page where asked."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from tradingd.kits.atomicfile import write_bytes
from tradingd.kits.failure import ExitCode, Failure
from tradingd.level2.open import open_book
from tradingd.microstructure import page
from tradingd.microstructure.report import DepthReport, analyse


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A file that could not be analysed."""

    path: str
    what: str
    code: int


class Analysed(msgspec.Struct, frozen=True, kw_only=True):
    """Output of `tradingd analyze depth`: a report a file, and what was written where.

    `written` are the reports as JSON, `pages` the same as HTML, both in the order of `reports`.
    """

    exit_code: int
    reports: tuple[DepthReport, ...]
    written: tuple[str, ...]
    pages: tuple[str, ...]
    refused: tuple[Refused, ...]


def analyze_depth(
    files: Sequence[Path],
    *,
    symbol: str = "",
    horizons_s: Sequence[int],
    levels: int | None = None,
    out: Path | None = None,
    progress: Callable[[str, int], None] | None = None,
) -> Analysed:
    """Analyse each file; one that cannot be read does not keep the others from being analysed.

    Parameters
    ----------
    symbol : str
        Needed for files of several symbols.
    out : Path, optional
        Folder for ``{file}_depth_report.json`` and ``.html``; created, files of those names are
        replaced.
    progress : callable, optional
        Told (file name, states read so far).

    Raises
    ------
    Failure
        Why the first file could not be analysed, if none could. STORE_WRITE: `out` cannot be
        written.
    """
    reports: list[DepthReport] = []
    written: list[str] = []
    pages: list[str] = []
    failures: list[tuple[Path, Failure]] = []
    for path in files:
        try:
            report = _one(path, symbol, horizons_s, levels, progress)
        except Failure as failure:
            failures.append((path, failure))
            continue
        reports.append(report)
        if out is not None:
            name = f"{path.name}_depth_report"
            written.append(str(_written(out / f"{name}.json", partial(_write_json, report))))
            pages.append(str(_written(out / f"{name}.html", partial(page.write, report))))
    if failures and not reports:
        raise failures[0][1]
    return Analysed(
        exit_code=int(failures[0][1].code if failures else ExitCode.OK),
        reports=tuple(reports),
        written=tuple(written),
        pages=tuple(pages),
        refused=tuple(
            Refused(path=str(path), what=str(failure), code=int(failure.code))
            for path, failure in failures
        ),
    )


def _one(
    path: Path,
    symbol: str,
    horizons_s: Sequence[int],
    levels: int | None,
    progress: Callable[[str, int], None] | None,
) -> DepthReport:
    source = open_book(path, symbol=symbol)

    def reached(states: int) -> None:
        if progress is not None:
            progress(path.name, states)

    return analyse(source, horizons_s=horizons_s, levels=levels, progress=reached)


def _write_json(report: DepthReport, path: Path) -> None:
    write_bytes(path, msgspec.json.encode(report))


def _written(path: Path, write: Callable[[Path], None]) -> Path:
    try:
        write(path)
    except OSError as error:
        raise Failure(
            "The report cannot be written",
            code=ExitCode.STORE_WRITE,
            where=str(path),
            found=str(error),
        ) from error
    return path
