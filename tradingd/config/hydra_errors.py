"""Translate what Hydra, OmegaConf and the YAML reader raise, once, into refusals."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf.errors import OmegaConfBaseException

from tradingd.config.keys import KeyPath
from tradingd.config.overrides import COMMAND_LINE, Override, is_secret, parse
from tradingd.config.trees import find_file, options
from tradingd.kits.failure import ExitCode, Failure
from tradingd.kits.nearest import nearest

type Origin = Callable[[KeyPath], str]

_FILE = re.compile(r"In '(?P<option>[^']+)'")
_SEVERAL_VALUES = re.compile(r"Ambiguous value for argument|requires --multirun")


@contextmanager
def translated(
    overrides: Sequence[str],
    folders: tuple[Path, ...],
    origin: Origin = lambda path: "",
) -> Iterator[None]:
    """Turn an error of the block into a Failure that names the file or override at fault."""
    try:
        yield
    except yaml.YAMLError as error:
        raise _unreadable_yaml(error) from error
    except MissingConfigException as error:
        raise _missing_option(error, overrides, folders) from error
    except (UnicodeDecodeError, OSError) as error:
        raise _unreadable_file(error, folders) from error
    except OverrideParseException as error:
        raise _unparsable(error, overrides) from error
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise _uncomposable(error, overrides, folders, origin) from error


def _unreadable_yaml(error: yaml.YAMLError) -> Failure:
    # Only the position and the parser's word: the line itself may hold a misplaced secret.
    where, problem = "", "characters that YAML does not allow"
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        where = f"{mark.name}:{mark.line + 1}" if mark else ""
        problem = error.problem or ""
    elif isinstance(error, yaml.reader.ReaderError):
        where = str(error.name)
    return Failure(
        "a configuration file is not valid YAML",
        code=ExitCode.CONFIG,
        where=where,
        found=problem,
    )


def _unreadable_file(error: Exception, folders: tuple[Path, ...]) -> Failure:
    """Neither error names its file reliably; the first file that fails again is the one."""
    files = [file for folder in folders for file in sorted(folder.rglob("*.yaml"))]
    reason = (error.strerror or "") if isinstance(error, OSError) else "it is not UTF-8 text"
    return Failure(
        "a configuration file cannot be read",
        code=ExitCode.CONFIG,
        where=str(next((file for file in files if not _is_readable(file)), "")),
        expected="a YAML file in UTF-8",
        found=reason,
    )


def _is_readable(file: Path) -> bool:
    try:
        file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return True


def _missing_option(
    error: MissingConfigException, overrides: Sequence[str], folders: tuple[Path, ...]
) -> Failure:
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    valid = sorted({*options(group, folders), *(error.options or ())})
    close = nearest(option, valid)
    chosen = any(one.key == group for one in map(parse, overrides))
    source = COMMAND_LINE if chosen else str(find_file("config", folders))
    return Failure(
        f"{group} has no option {option}" if group else f"there is no file {option}.yaml",
        code=ExitCode.CONFIG,
        where=f"{source}: {group or option}",
        expected="one of: " + ", ".join(valid) if valid else "",
        found=option,
        next_step=f"did you mean {group}={close}?" if close else "",
    )


def _unparsable(error: OverrideParseException, overrides: Sequence[str]) -> Failure:
    culprit = next(
        (one for one in map(parse, overrides) if one.for_hydra() == error.override), None
    )
    return Failure(
        "an override cannot be understood",
        code=ExitCode.CONFIG,
        where=COMMAND_LINE,
        expected="key=value in Hydra's grammar; quote special characters: key='a, b'",
        found=culprit.shown() if culprit else "",
    )


def _uncomposable(
    error: Exception, overrides: Sequence[str], folders: tuple[Path, ...], origin: Origin
) -> Failure:
    text = str(error)
    stated = [parse(one) for one in overrides]
    culprit = next((one for one in stated if _names(text, one)), None)
    if culprit and _SEVERAL_VALUES.search(text):
        return _several_values(culprit)
    key = str(getattr(error.__cause__ or error, "full_key", None) or "")
    path = tuple(key.split(".")) if key else ()
    hidden = is_secret(path) or bool(culprit and is_secret(culprit.path))
    return Failure(
        "the configuration does not compose",
        code=ExitCode.CONFIG,
        where=_place(text, path, culprit, folders, origin),
        found="(hidden)" if hidden else text.strip().partition("\n")[0],
    )


def _place(
    text: str,
    path: KeyPath,
    culprit: Override | None,
    folders: tuple[Path, ...],
    origin: Origin,
) -> str:
    if culprit:
        return f"{COMMAND_LINE}: {culprit.key}"
    if path:
        return f"{origin(path)}: {'.'.join(path)}"
    named = _FILE.search(text)
    return str(find_file(named["option"], folders) or named["option"]) if named else ""


def _names(text: str, override: Override) -> bool:
    return f"'{override.for_hydra()}'" in text or f"'{override.key}'" in text


def _several_values(override: Override) -> Failure:
    return Failure(
        "an override states several values",
        code=ExitCode.CONFIG,
        where=f"{COMMAND_LINE}: {override.key}",
        expected="one value",
        found=override.shown(),
        next_step=f"a list: {override.key}=[a,b]; a sweep: tradingd backtest -m",
    )
