"""What msgspec says of a command line, in a person's words."""

import msgspec
import pytest

from tradingd.cli.usage import unfit


class Params(msgspec.Struct, frozen=True, kw_only=True):
    file_names: tuple[str, ...]


def test_an_argument_that_is_left_out_is_named() -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert({}, Params)
    told = unfit("demo look", caught.value, {}).line()
    assert told == "an argument is missing: FILE_NAMES | next: demo look --help"
