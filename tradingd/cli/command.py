"""A command is a parameter struct, a result type and a function imported when it runs.

The argument parser, `--help`, shell completion and `--describe` are all derived from these types,
so none of them can drift from what the function accepts.
"""

import argparse
import importlib
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta


class Command[P: msgspec.Struct, R: msgspec.Struct](msgspec.Struct, frozen=True, kw_only=True):
    """One verb of a command line.

    Parameters
    ----------
    path : tuple of str
        Words that select the command, e.g. ``("data", "import")``.
    params : type
        Struct of the input.
    result : type or str
        Struct of the output, or ``module:Type`` where importing it is too heavy for `--help`.
    function : str
        ``module:function`` taking `params` and returning `result`; imported when the command runs.
    render : str
        ``module:function`` printing `result` for a person; imported when needed.
    summary : str
        One sentence for `--help` and `--describe`.
    examples : tuple of str
        Complete command lines.
    environment : mapping
        Environment variables the command reads, with their meaning.
    interrupted : str
        What to do after Ctrl-C or SIGTERM, and what is safe then.
    own_signals : bool
        It serves or watches until a signal, and deals with SIGTERM itself from its start.
    """

    path: tuple[str, ...]
    params: type[P]
    result: type[R] | str
    function: str
    render: str
    summary: str
    examples: tuple[str, ...] = ()
    environment: Mapping[str, str] = {}
    interrupted: str = "run it again; nothing is left half-written"
    own_signals: bool = False

    def load(self) -> Callable[[P], R]:
        """Import and return the function."""
        function: Callable[[P], R] = _resolve(self.function)
        return function

    def load_render(self) -> Callable[[R], None]:
        """Import and return the renderer."""
        render: Callable[[R], None] = _resolve(self.render)
        return render

    def load_result(self) -> type[R]:
        """Return the output's type, importing it where it was only named."""
        if isinstance(self.result, str):
            named: type[R] = _resolve(self.result)
            return named
        return self.result

    def describe(self) -> dict[str, Any]:
        """Return the machine-readable description of the command."""
        return {
            "command": " ".join(self.path),
            "description": self.summary,
            "input_schema": msgspec.json.schema(self.params, schema_hook=_path_schema),
            "output_schema": msgspec.json.schema(self.load_result(), schema_hook=_path_schema),
            "environment": dict(self.environment),
            "examples": list(self.examples),
        }


def _resolve(reference: str) -> Any:
    module, _, name = reference.partition(":")
    return getattr(importlib.import_module(module), name)


def add_parameters(parser: argparse.ArgumentParser, params: type[msgspec.Struct]) -> None:
    """Derive arguments from a struct's fields: flags, or places where `extra` says positional."""
    hints = get_type_hints(params, include_extras=True)
    for field in msgspec.structs.fields(params):
        _add_parameter(parser, field, hints[field.name])


def repeated_place(params: type[msgspec.Struct]) -> str | None:
    """Return the name of the field that takes any number of words by place, if there is one."""
    for name, hint in get_type_hints(params, include_extras=True).items():
        kind, metas = _unwrap(hint)
        placed = any((meta.extra or {}).get("positional") for meta in metas)
        if placed and get_origin(kind) in (tuple, list):
            return name
    return None


def flags_of(params: type[msgspec.Struct]) -> list[str]:
    """Return the long flags of a command and the names of its places, as `--help` shows them."""
    words = []
    for name, hint in get_type_hints(params, include_extras=True).items():
        extras = _extras(_unwrap(hint)[1])
        placed = extras.get("metavar", name.upper())
        words.append(placed if extras.get("positional") else _flags(name, extras)[-1])
    return words


def in_words(params: type[msgspec.Struct]) -> dict[str, str]:
    """Return what a field takes in words, where its Meta states that in `extra["fits"]`."""
    hints = get_type_hints(params, include_extras=True)
    fits = {name: _extras(_unwrap(hint)[1]).get("fits") for name, hint in hints.items()}
    return {name: text for name, text in fits.items() if text}


def _extras(metas: list[Meta]) -> dict[str, Any]:
    return {key: value for meta in metas for key, value in (meta.extra or {}).items()}


def _add_parameter(
    parser: argparse.ArgumentParser, field: msgspec.structs.FieldInfo, hint: Any
) -> None:
    kind, metas = _unwrap(hint)
    text = " ".join(meta.description for meta in metas if meta.description).replace("%", "%%")
    extras = _extras(metas)
    required = field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
    options: dict[str, Any] = {"help": text, "default": argparse.SUPPRESS}
    if kind is bool:
        parser.add_argument(*_flags(field.name, extras), action="store_true", **options)
        return
    repeated = get_origin(kind) in (tuple, list)
    kind = get_args(kind)[0] if repeated else kind
    if get_origin(kind) is Literal:
        options["choices"] = get_args(kind)
    options["metavar"] = extras.get("metavar", field.name.upper())
    if extras.get("positional"):
        arity = "*" if repeated else ("?" if not required else None)
        if arity:
            options["nargs"] = arity
        parser.add_argument(field.name, **options)
        return
    if repeated:
        options["nargs"] = "+"
    parser.add_argument(*_flags(field.name, extras), dest=field.name, required=required, **options)


def _flags(name: str, extras: Mapping[str, Any]) -> list[str]:
    short = [f"-{extras['short']}"] if "short" in extras else []
    # `flag` names a flag that is no Python name, such as `from`.
    return [*short, "--" + extras.get("flag", name.replace("_", "-"))]


def _unwrap(hint: Any) -> tuple[Any, list[Meta]]:
    """Strip Annotated and `| None`; return the bare type and its Meta annotations."""
    metas: list[Meta] = []
    while True:
        if get_origin(hint) is Annotated:
            hint, *notes = get_args(hint)
            metas += [note for note in notes if isinstance(note, Meta)]
        elif get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint):
            hint = next(kind for kind in get_args(hint) if kind is not type(None))
        else:
            return hint, metas


def decode_parameters[P: msgspec.Struct](params: type[P], values: Mapping[str, Any]) -> P:
    """Turn parsed text into the typed struct, within its constraints."""
    return msgspec.convert(dict(values), params, strict=False, dec_hook=_decode_path)


def _decode_path(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(f"parameter type {kind}")


def _path_schema(kind: type) -> dict[str, Any]:
    if kind is Path:
        return {"type": "string", "format": "path"}
    raise NotImplementedError(f"parameter type {kind}")
