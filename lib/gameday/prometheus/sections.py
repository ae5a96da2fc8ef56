"""A YAML file read field by field, so that what nobody asked for is found and refused by its name."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import yaml

from firstwatch.errors import BadParameter
from firstwatch.model import Json
from gameday.prometheus import moments

T = TypeVar("T")


def read(path: Path) -> Json:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadParameter(f"reading {path}: {error}") from error
    return {} if content is None else content


class Section:
    """A mapping of a file, taken field by field; `end` refuses the fields that nobody took."""

    def __init__(self, content: Json, where: str) -> None:
        if not isinstance(content, dict):
            raise BadParameter(f"{where}: a mapping is wanted, not {type(content).__name__}")
        self.where, self._content, self._taken = where, content, set[str]()

    def text(self, field: str, otherwise: str | None = None) -> str:
        value = self._take(field, otherwise)
        if not isinstance(value, str) or not value:
            raise BadParameter(f"{self.where}: {field} is missing or no text")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        values = self._take(field, [])
        if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
            raise BadParameter(f"{self.where}: {field} is no list of texts")
        return tuple(values)

    def labels(self, field: str) -> Mapping[str, str]:
        values = self._take(field, {})
        if not isinstance(values, dict) or not all(isinstance(each, str) for pair in values.items() for each in pair):
            raise BadParameter(f"{self.where}: {field} is no mapping of texts to texts")
        return values

    def span(self, field: str, otherwise: int | None = None) -> int:
        """Return milliseconds."""
        value = self._take(field, None)
        if value is None and otherwise is not None:
            return otherwise
        return self.parsed(field, lambda: moments.span(str(value)))

    def interval(self, field: str, otherwise: int | None = None) -> int:
        """Return milliseconds, more than none."""
        span = self.span(field, otherwise)
        if not span:
            raise BadParameter(f"{self.where}: {field} must be more than 0")
        return span

    def parsed(self, field: str, parse: Callable[[], T]) -> T:
        """Return what *parse* returns, or say where the field is that it cannot read."""
        try:
            return parse()
        except (ValueError, BadParameter) as error:
            raise BadParameter(f"{self.where}: {field}: {error}") from error

    def has(self, field: str) -> bool:
        return field in self._content

    def section(self, field: str) -> "Section":
        return Section(self._take(field, {}), f"{self.where}: {field}")

    def sections(self, field: str) -> list["Section"]:
        values = self._take(field, [])
        if not isinstance(values, list):
            raise BadParameter(f"{self.where}: {field} is no list")
        return [Section(each, f"{self.where}: {field}[{index}]") for index, each in enumerate(values)]

    def end(self) -> None:
        if unknown := sorted(str(each) for each in self._content.keys() - self._taken):
            known = ", ".join(sorted(self._taken))
            raise BadParameter(f"{self.where}: {unknown[0]} is not supported; here may be: {known}")

    def _take(self, field: str, otherwise: Json) -> Json:
        self._taken.add(field)
        value = self._content.get(field)
        return otherwise if value is None else value
