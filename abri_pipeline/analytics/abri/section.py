"""Strict reading of a method file: every mistake is refused by file and field.

Belongs here: typed access to parsed YAML. Does not belong here: what a field means to the index.
"""

import math
from collections.abc import Iterator, Mapping

import yaml


class MethodError(ValueError):
    """A method file cannot be used; the message names the file, the field and the mend."""


class Section:
    """One mapping of a method file that knows where it stands, so that errors can say so.

    Every read marks its field as known; `close()` then refuses whatever is left, because a misspelt
    parameter that is silently ignored would change the index without anybody noticing.
    """

    def __init__(self, content: object, file: str, path: str = "") -> None:
        self._file = file
        self._path = path
        if not isinstance(content, Mapping):
            raise self.error("", f"must be a mapping of fields, not {type(content).__name__}")
        for name in content:
            if not isinstance(name, str):
                raise self.error("", f"has the field name {name!r}; field names are text")
        self._content: Mapping[str, object] = content
        self._read: set[str] = set()

    def error(self, field: str, complaint: str) -> MethodError:
        """The error to raise for a field of this section; `field` may be empty for the section itself."""
        where = ".".join(part for part in (self._path, field) if part) or "the file"
        return MethodError(f"{self._file}: {where} {complaint}")

    def _value(self, field: str) -> object:
        self._read.add(field)
        if field not in self._content:
            raise self.error(field, "is missing")
        return self._content[field]

    def has(self, field: str) -> bool:
        """Whether the section holds the field."""
        return field in self._content

    def text(self, field: str, choices: tuple[str, ...] = ()) -> str:
        """A non-empty text, one of `choices` where they are given."""
        value = self._value(field)
        if not isinstance(value, str) or not value.strip():
            raise self.error(field, f"must be a text, not {value!r}")
        if choices and value not in choices:
            raise self.error(field, f"is {value!r}; known are {', '.join(choices)}")
        return value

    def number(self, field: str, *, low: float = -math.inf, high: float = math.inf) -> float:
        """A finite number within [low, high]."""
        value = self._value(field)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.error(field, f"must be a number, not {value!r}")
        if not low <= value <= high:
            raise self.error(field, f"is {value}; it must lie between {low} and {high}")
        return float(value)

    def whole(self, field: str, *, low: int = 1) -> int:
        """A whole number of at least `low`."""
        value = self._value(field)
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise self.error(field, f"must be a whole number of at least {low}, not {value!r}")
        return value

    def flag(self, field: str) -> bool:
        """True or false."""
        value = self._value(field)
        if not isinstance(value, bool):
            raise self.error(field, f"must be true or false, not {value!r}")
        return value

    def names(self, field: str, *, empty: bool = False) -> tuple[str, ...]:
        """A list of distinct texts; an empty one only where `empty` allows it."""
        value = self._value(field)
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self.error(field, f"must be a list of names, not {value!r}")
        if not value and not empty:
            raise self.error(field, "must name at least one")
        if len(set(value)) != len(value):
            raise self.error(field, f"names one twice: {value!r}")
        return tuple(value)

    def section(self, field: str) -> "Section":
        """A mapping inside this one."""
        return Section(self._value(field), self._file, ".".join(p for p in (self._path, field) if p))

    def sections(self) -> Iterator[tuple[str, "Section"]]:
        """Every field of this section as a mapping of its own, in the order of the file."""
        if not self._content:
            raise self.error("", "is empty")
        for field in self._content:
            yield field, self.section(field)

    def close(self) -> None:
        """Refuse the fields that nobody asked for."""
        if unknown := [field for field in self._content if field not in self._read]:
            raise self.error(unknown[0], "is not a known field here")


class _NoTwins(yaml.SafeLoader):
    """YAML that refuses a field written twice; the plain loader keeps the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        fields = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twins := [field for position, field in enumerate(fields) if field in fields[:position]]:
            raise yaml.constructor.ConstructorError(
                problem=f"the field {twins[0]!r} is written twice", problem_mark=node.start_mark
            )
        return dict(super().construct_mapping(node, deep))


def read_yaml(text: str, file: str) -> object:
    """The content of a YAML text.

    Raises:
        MethodError: the text is no YAML, or a mapping in it holds a field twice.
    """
    try:
        return yaml.load(text, Loader=_NoTwins)  # noqa: S506 - a SafeLoader that is stricter still
    except yaml.YAMLError as error:
        raise MethodError(f"{file}: is not valid YAML: {error}") from error
