"""What the structs say about a key: its type, range, unit, description and default.

Derived from the annotations by msgspec's own inspection, so messages and `config explain` cannot
drift from what decoding accepts.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from tradingd.config.system import SystemConfig

TAG: Final = "kind"

TIME_OF_DAY: Final = "a time of day (HH:MM or HH:MM:SS)"

type KeyPath = tuple[str, ...]


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """One key as a person should see it.

    Parameters
    ----------
    name : str
        Dotted path.
    expected : str
        Type and range in words.
    unit, description : str
        Empty where the struct states none.
    default : object
        Struct default as plain builtins; None also where the key is required.
    required, secret : bool
        Whether it has no default; whether it holds a secret's reference.
    """

    name: str
    expected: str
    unit: str = ""
    description: str = ""
    default: Any = None
    required: bool = False
    secret: bool = False


@cache
def root() -> inspect.StructType:
    """Return the inspected type of the whole configuration."""
    found = inspect.type_info(SystemConfig)
    assert isinstance(found, inspect.StructType)
    return found


def dotted(path: KeyPath) -> str:
    """Return the text of a key path."""
    return ".".join(path)


def describe(path: KeyPath, tree: Mapping[str, Any]) -> Key | None:
    """Return what is known of a key; None when the configuration has no such key.

    Parameters
    ----------
    path : tuple of str
        Names from the root; numbers select list items.
    tree : mapping
        A configuration, whose ``kind`` values select the structs on the way.
    """
    kind, field = _descend(path, tree)
    if kind is None:
        return None
    metas = list(_metadata(kind))
    notes = [m.extra_json_schema for m in metas if m.extra_json_schema]
    description = next((note["description"] for note in notes if "description" in note), "")
    extra = {key: value for m in metas for key, value in (m.extra or {}).items()}
    secret = bool(extra.get("secret"))
    return Key(
        name=dotted(path),
        expected="a reference: env:NAME, credential:NAME or file:PATH" if secret else words(kind),
        unit=extra.get("unit", ""),
        description=description,
        default=_default(field),
        required=field is not None and field.required,
        secret=secret,
    )


def names_in(path: KeyPath, tree: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the valid key names inside the struct at `path`; empty when it is none."""
    kind, _ = _descend(path, tree)
    struct = _struct(kind, _value(path, tree)) if kind is not None else None
    return _names(struct) if struct is not None else ()


def secret_names() -> frozenset[str]:
    """Return the names of all keys, of any option, that hold a secret's reference."""
    return frozenset(
        field.name
        for struct in _structs(root())
        for field in struct.fields
        if _holds_secrets(field.type)
    )


def _holds_secrets(kind: inspect.Type) -> bool:
    """Whether a value, or an item of a list, is a secret's reference."""
    if any((meta.extra or {}).get("secret") for meta in _metadata(kind)):
        return True
    bare = _bare(kind)
    if isinstance(bare, inspect.VarTupleType | inspect.ListType):
        return _holds_secrets(bare.item_type)
    return False


def tagged_defaults(tree: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    """Yield, for each mapping that leaves its ``kind`` to the struct's default, path and kind.

    ``execution.slippage.window=50`` sets a key of the default model without naming it again.
    """
    yield from _untagged((), root(), tree)


def _untagged(
    path: KeyPath, struct: inspect.StructType, tree: Mapping[str, Any]
) -> Iterator[tuple[KeyPath, str]]:
    for field in struct.fields:
        value = tree.get(field.name)
        if not isinstance(value, Mapping):
            continue
        default = field.default
        if TAG not in value and isinstance(default, msgspec.Struct):
            tag = default.__struct_config__.tag
            if isinstance(tag, str):
                yield (*path, field.name), tag
        inner = _struct(field.type, value)
        if inner is not None:
            yield from _untagged((*path, field.name), inner, value)


def _descend(
    path: KeyPath, tree: Mapping[str, Any]
) -> tuple[inspect.Type | None, inspect.Field | None]:
    """Return the type at `path` with its annotations, and the field that declares it."""
    kind: inspect.Type | None = root()
    field: inspect.Field | None = None
    value: Any = tree
    for part in path:
        bare = _bare(kind)
        if isinstance(bare, inspect.VarTupleType | inspect.ListType):
            kind, field = bare.item_type, None
        elif isinstance(bare, inspect.DictType):
            kind, field = bare.value_type, None
        elif part == TAG and _tags(bare):
            kind, field = inspect.LiteralType(tuple(_tags(bare))), None
        else:
            struct = _struct(bare, value)
            field = next((f for f in struct.fields if f.name == part), None) if struct else None
            kind = field.type if field else None
        if kind is None:
            return None, None
        value = _child(value, part)
    return kind, field


def _value(path: KeyPath, tree: Mapping[str, Any]) -> Any:
    value: Any = tree
    for part in path:
        value = _child(value, part)
    return value


def _child(value: Any, part: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(part)
    if isinstance(value, list | tuple) and part.isdigit() and int(part) < len(value):
        return value[int(part)]
    return None


def _bare(kind: inspect.Type | None) -> inspect.Type | None:
    """Strip annotations and `| None`."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    if isinstance(kind, inspect.UnionType):
        real = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
        return _bare(real[0]) if len(real) == 1 else kind
    return kind


def _struct(kind: inspect.Type | None, value: Any) -> inspect.StructType | None:
    """Return the struct that decodes `value`: the type itself, or the one its tag selects."""
    bare = _bare(kind)
    if isinstance(bare, inspect.StructType):
        return bare
    tag = value.get(TAG) if isinstance(value, Mapping) else None
    return next((one for one in _members(bare) if one.tag == tag), None)


def _members(kind: inspect.Type | None) -> list[inspect.StructType]:
    bare = _bare(kind)
    if isinstance(bare, inspect.StructType):
        return [bare]
    types = bare.types if isinstance(bare, inspect.UnionType) else ()
    return [one for one in types if isinstance(one, inspect.StructType)]


def _tags(kind: inspect.Type | None) -> list[str]:
    return [str(one.tag) for one in _members(kind) if one.tag is not None]


def _names(struct: inspect.StructType) -> tuple[str, ...]:
    tag = (TAG,) if struct.tag is not None else ()
    return (*tag, *(field.name for field in struct.fields))


def _structs(struct: inspect.StructType) -> Iterator[inspect.StructType]:
    yield struct
    for field in struct.fields:
        for member in _members(field.type):
            yield from _structs(member)


def _metadata(kind: inspect.Type | None) -> Iterator[inspect.Metadata]:
    while isinstance(kind, inspect.Metadata):
        yield kind
        kind = kind.type


def _default(field: inspect.Field | None) -> Any:
    if field is None or field.required:
        return None
    factory = field.default_factory
    value = field.default if factory is msgspec.NODEFAULT else factory()
    return msgspec.to_builtins(value)


def words(kind: inspect.Type | None) -> str:
    """Return a type and its limits in words: ``a whole number >= 1 and <= 10000``."""
    while isinstance(kind, inspect.Metadata):
        kind = kind.type
    match kind:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            noun = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
            return f"{noun} {_range(kind)}".rstrip()
        case inspect.DecimalType():
            return "an exact number"
        case inspect.DateType():
            return "a date (YYYY-MM-DD)"
        case inspect.TimeType():
            return TIME_OF_DAY
        case inspect.LiteralType():
            return "one of: " + ", ".join(str(value) for value in kind.values)
        case inspect.StrType():
            return _text(kind)
        case inspect.VarTupleType() | inspect.ListType():
            least = f" of at least {kind.min_length}" if kind.min_length else ""
            return f"a list{least}, each {words(kind.item_type)}"
        case inspect.DictType():
            return "a mapping of names to values"
        case inspect.UnionType():
            return _choice(kind)
        case inspect.StructType():
            return "a group of keys: " + ", ".join(_names(kind))
        case _:
            return "any value"


def _range(kind: inspect.IntType | inspect.FloatType) -> str:
    limits = ((">", kind.gt), (">=", kind.ge), ("<", kind.lt), ("<=", kind.le))
    return " and ".join(f"{sign} {bound}" for sign, bound in limits if bound is not None)


def _text(kind: inspect.StrType) -> str:
    if kind.pattern:
        return f"text matching {kind.pattern}"
    return "text, not empty" if kind.min_length else "text"


def _choice(kind: inspect.UnionType) -> str:
    if tags := _tags(kind):
        return "a group of keys whose kind is one of: " + ", ".join(tags)
    options = [words(one) for one in kind.types if not isinstance(one, inspect.NoneType)]
    if len(options) < len(kind.types):
        options.append("null")
    return ", or ".join(options)
