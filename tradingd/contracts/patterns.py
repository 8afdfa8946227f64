"""Regular expressions of schemas, matched in time linear in the text.

A schema may come from somebody else, a document from anybody: Python's backtracking `re` can be
made to run for years by a pair of both. RE2 cannot (https://github.com/google/re2); pyarrow
carries it. What RE2 has not (look-around, back references) is refused rather than risked.
"""

from functools import lru_cache
from typing import Any

from tradingd.kits.failure import ExitCode, Failure


@lru_cache(maxsize=4_096)
def matches(pattern: str, text: str) -> bool:
    r"""Whether a pattern is found anywhere in a text; ``$`` is the end, never before a newline.

    Raises
    ------
    Failure
        CONTRACT when the pattern is none, or needs what cannot be matched in bounded time.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return bool(pc.match_substring_regex(pa.scalar(text), pattern).as_py())
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        raise Failure(
            "a regular expression of a schema cannot be matched in bounded time",
            code=ExitCode.CONTRACT,
            where=repr(pattern[:100]),
            expected="RE2 syntax: no look-around, no back references",
            found=str(error),
            next_step="state the rule by other keywords (not, enum, anyOf) or a simpler pattern",
        ) from error


def keyword_pattern(validator: Any, pattern: str, instance: Any, _schema: Any) -> Any:
    """Check the keyword ``pattern``."""
    from jsonschema import ValidationError

    if validator.is_type(instance, "string") and not matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def keyword_pattern_properties(validator: Any, patterns: Any, instance: Any, _schema: Any) -> Any:
    """Check the keyword ``patternProperties``."""
    if not validator.is_type(instance, "object"):
        return
    for pattern, subschema in patterns.items():
        for name, value in instance.items():
            if matches(pattern, name):
                yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def keyword_additional_properties(validator: Any, stated: Any, instance: Any, schema: Any) -> Any:
    """Check the keyword ``additionalProperties``."""
    from jsonschema import ValidationError

    if not validator.is_type(instance, "object"):
        return
    named = schema.get("properties", {})
    patterns = schema.get("patternProperties", {})
    extras = [
        name
        for name in instance
        if name not in named and not any(matches(pattern, name) for pattern in patterns)
    ]
    if stated is False:
        for name in extras:
            yield ValidationError(f"{name!r} is not a field of this object")
        return
    for name in extras:
        yield from validator.descend(instance[name], stated, path=name)
