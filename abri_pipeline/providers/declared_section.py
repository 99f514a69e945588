"""Reading of one mapping of `providers.yaml`, field by field, so that every complaint names its place.

Belongs here: kinds of fields. Does not belong here: which fields there are (`declared`).
"""

from datetime import date
from typing import Any


class RegistryError(ValueError):
    """The providers' file cannot be used; the message names file, field and mend."""


class Section:
    """One mapping of the file, read field by field; what nobody asked for is unknown."""

    def __init__(self, found: Any, place: str) -> None:
        if not isinstance(found, dict):
            raise RegistryError(f"{place}: expected fields, found {shown(found)}")
        self._rest: dict[str, Any] = {str(name): value for name, value in found.items()}
        self.place = place

    def at(self, name: str) -> str:
        """Where a field stands, for errors."""
        return f"{self.place}.{name}"

    @property
    def names(self) -> list[str]:
        """Fields that nobody has read yet."""
        return list(self._rest)

    def take(self, name: str, kind: type, default: Any = ...) -> Any:
        """A field of one type; bool is no int here."""
        if name not in self._rest:
            if default is ...:
                raise RegistryError(f"{self.at(name)}: is missing")
            return default
        value = self._rest.pop(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise RegistryError(f"{self.at(name)}: expected {_WORDS[kind]}, found {shown(value)}")
        return value

    def choice(self, name: str, allowed: tuple[str, ...], default: Any = ...) -> str:
        """A text that is one of a few."""
        value: str = self.take(name, str, default)
        if value not in allowed:
            raise RegistryError(f"{self.at(name)}: {shown(value)} is none of {', '.join(allowed)}")
        return value

    def count(self, name: str, default: Any = ...) -> Any:
        """A whole number of 1 or more."""
        value = self.take(name, int, default)
        if value is not None and value < 1:
            raise RegistryError(f"{self.at(name)}: {value} is no count of 1 or more")
        return value

    def sections(self, name: str) -> dict[str, "Section"]:
        """A field of named sections."""
        found = self.take(name, dict, {})
        return {str(key): Section(value, f"{self.at(name)}.{key}") for key, value in found.items()}

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        found = self.take(name, list, [])
        if wrong := next((value for value in found if not isinstance(value, str)), None):
            raise RegistryError(f"{self.at(name)}: expected texts, found {shown(wrong)}")
        return tuple(found)

    def done(self) -> None:
        """Refuse what nobody has read."""
        if self._rest:
            raise RegistryError(f"{self.at(sorted(self._rest)[0])}: no such field; check its spelling")


_WORDS: dict[type, str] = {
    str: "a text", int: "a whole number", bool: "true or false", dict: "fields", list: "a list", date: "a date",
}  # fmt: skip


def shown(value: Any) -> str:
    """A value of the file as an error shows it."""
    words = repr(value)
    return words if len(words) <= 40 else words[:40] + "…"
