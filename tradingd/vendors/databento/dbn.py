"""DBN files: the only decoder, streaming fixed-size records as numpy arrays.

Databento Binary Encoding, versions 1 to 3, plain or zstd
(https://databento.com/docs/standards-and-conventions/databento-binary-encoding): the letters
``DBN``, a version byte, a length, metadata, then records of one schema. The metadata is decoded by
the vendor's own library, which also states the layout of each record.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import databento_dbn as vendor
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tradingd.kits.failure import ExitCode, Failure

BOOK_SCHEMAS: Final[Mapping[str, type[Any]]] = {
    "mbp-10": vendor.MBP10Msg,
    "mbp-1": vendor.MBP1Msg,
    "tbbo": vendor.MBP1Msg,
    "cmbp-1": vendor.CMBP1Msg,
    "bbo-1s": vendor.BBOMsg,
    "bbo-1m": vendor.BBOMsg,
    "cbbo-1s": vendor.CBBOMsg,
    "cbbo-1m": vendor.CBBOMsg,
}
READABLE: Final[Mapping[str, type[Any]]] = {**BOOK_SCHEMAS, "trades": vendor.TradeMsg}

# Kind of record (`rtype`) by schema, from the vendor's list; tbbo's records are mbp-1's.
_RTYPES: Final = {
    "mbp-10": 10,
    "mbp-1": 1,
    "tbbo": 1,
    "trades": 0,
    "cmbp-1": 177,
    "cbbo-1s": 192,
    "cbbo-1m": 193,
    "bbo-1s": 195,
    "bbo-1m": 196,
}
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_NEWEST: Final = 3
_MAX_METADATA: Final = 2**26
_UNDEF_TIME: Final = 2**64 - 1


class DbnFile:
    """One DBN file of books or trades; constructing one touches nothing.

    A file without compression that was cut exactly between two records cannot be told from a
    whole one: the format has no count. Any other cut is refused.
    """

    version: int
    dataset: str
    schema: str
    start_ns: int
    """Start of the query, UTC ns."""
    end_ns: int
    """End of the query, UTC ns; 0 where the file does not say."""
    symbols: tuple[str, ...]

    def __init__(self, path: Path) -> None:
        self.path = path

    def open(self) -> Self:
        """Read the metadata.

        Raises
        ------
        Failure
            UNREADABLE_INPUT: no such file, not DBN, a fragment, DBZ, an unknown version, or a
            schema without books or trades. DAMAGED_ARCHIVE: cut or damaged.
        """
        with self._stream() as stream:
            head = self._metadata(stream)
        try:
            metadata = vendor.Metadata.decode(head)
        except (vendor.DBNError, ValueError, OverflowError) as error:
            raise self._damaged(f"metadata: {error}") from error
        self.version = head[3]  # the vendor reports the newest, which it upgrades to
        self.dataset = metadata.dataset
        self.schema = str(metadata.schema or "mixed")
        if self.schema not in READABLE:
            raise self._unreadable(f"schema {self.schema}", expected=", ".join(READABLE))
        self.start_ns = metadata.start
        self.end_ns = 0 if metadata.end in (None, _UNDEF_TIME) else metadata.end
        self.symbols = tuple(metadata.symbols)
        self._intervals = list(_intervals(metadata.mappings, str(metadata.stype_out)))
        fields = list(READABLE[self.schema]._dtypes)
        if metadata.ts_out:
            fields.append(("ts_out", "u8"))
        self.dtype = np.dtype(fields)
        self._offset = len(head)
        return self

    def symbol_of(self, day: dt.date | None = None) -> Mapping[int, str]:
        """Return the raw symbol by `instrument_id`.

        Parameters
        ----------
        day : date, optional
            UTC day of the records; needed only where an id changes hands within the file.

        Raises
        ------
        Failure
            UNREADABLE_INPUT: an id means several symbols and no day was given.
        """
        names: dict[int, str] = {}
        for number, raw, first, after in self._intervals:
            if day is not None and not first <= day < after:
                continue
            if names.setdefault(number, raw) != raw:
                raise self._unreadable(
                    f"instrument {number} is {names[number]} and later {raw}",
                    expected="one symbol for each instrument",
                )
        return names

    def chunks(self, rows: int = 8_192) -> Iterator[NDArray[np.void]]:
        """Yield the records in file order, at most `rows` at once, in the vendor's layout.

        The arrays are read-only; memory does not grow with the file.

        Raises
        ------
        Failure
            DAMAGED_ARCHIVE naming the record: cut, damaged, or a record of another kind.
        """
        count = 0
        with self._stream() as stream:
            self._read(stream, self._offset)
            while data := self._read(stream, rows * self.dtype.itemsize, count):
                whole, rest = divmod(len(data), self.dtype.itemsize)
                records = np.frombuffer(data, self.dtype, whole)
                self._check(records, count)
                if whole:
                    yield records
                count += whole
                if rest:
                    raise self._damaged(f"cut within record {count}")

    def _check(self, records: NDArray[np.void], count: int) -> None:
        kind = (records["rtype"] != _RTYPES[self.schema]) | (
            records["length"] != self.dtype.itemsize // 4
        )
        if kind.any():
            at = int(kind.argmax())
            found = f"record {count + at} is of kind {records['rtype'][at]}"
            raise self._damaged(f"{found}, {int(records['length'][at]) * 4} bytes")

    def _stream(self) -> pa.NativeFile:
        try:
            raw = pa.OSFile(str(self.path), "rb")
        except OSError as error:
            raise self._unreadable(str(error)) from error
        magic = raw.read(4)
        raw.seek(0)
        if not magic:
            raise self._unreadable("an empty file")
        if magic[1:] == b"\x2a\x4d\x18" and 0x50 <= magic[0] <= 0x5F:
            raise self._unreadable("DBZ, the format before DBN", next_step="ask the vendor for DBN")
        return pa.CompressedInputStream(raw, "zstd") if magic == _ZSTD else raw

    def _metadata(self, stream: pa.NativeFile) -> bytes:
        prefix = self._read(stream, 8)
        if prefix[:3] != b"DBN":
            found = "something else, or a fragment of records without metadata"
            raise self._unreadable(found, next_step="ask for the file with its metadata")
        if len(prefix) < 8:
            raise self._damaged("cut within the metadata")
        if not 1 <= prefix[3] <= _NEWEST:
            raise self._unreadable(f"DBN version {prefix[3]}", expected=f"version 1 to {_NEWEST}")
        length = int.from_bytes(prefix[4:], "little")
        if length > _MAX_METADATA:
            raise self._damaged(f"metadata of {length:,} bytes")
        body = self._read(stream, length)
        if len(body) < length:
            raise self._damaged("cut within the metadata")
        return prefix + body

    def _read(self, stream: pa.NativeFile, size: int, count: int = 0) -> bytes:
        try:
            return bytes(stream.read(size))
        except OSError as error:
            raise self._damaged(f"{error}, after record {count}") from error

    def _unreadable(
        self, found: str, *, expected: str = "a DBN file", next_step: str = ""
    ) -> Failure:
        return Failure(
            "The file cannot be read as DBN",
            code=ExitCode.UNREADABLE_INPUT,
            where=str(self.path),
            expected=expected,
            found=found,
            next_step=next_step,
        )

    def _damaged(self, found: str) -> Failure:
        return Failure(
            "The DBN file is damaged or cut",
            code=ExitCode.DAMAGED_ARCHIVE,
            where=str(self.path),
            found=found,
            next_step="fetch it again",
        )


def _intervals(
    mappings: Mapping[str, list[Any]], stype_out: str
) -> Iterator[tuple[int, str, dt.date, dt.date]]:
    """Yield (id, raw symbol, first day, day after the last), whichever way the file maps."""
    for name, intervals in mappings.items():
        for interval in intervals:
            other = interval["symbol"]
            number, raw = (other, name) if stype_out == "instrument_id" else (name, other)
            if number.isdecimal():
                yield int(number), raw, interval["start_date"], interval["end_date"]
