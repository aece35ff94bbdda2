"""Credential templates: a credential in which `{{column}}` stands for what differs between awards.

A whole value may be typed (`"{{ects:number}}"`) or left out when its cell is empty (`"{{grade?}}"`).
Format: docs/spec/templates.md.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from testamur.node.issuing.placeholders import CONVERSIONS, OMITTED, Placeholder, Values, parse_text
from testamur.registry.canonical import Json, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import Shape
from testamur.registry.structures import string_class

MAX_TEMPLATE_BYTES = 256 * 1024
"""A template is a credential with its images as links; real ones have four kilobytes."""

RESERVED = ("id", "credentialStatus", "proof")
"""Members that issuing writes itself; in a template they would be silently replaced."""

FIXED = frozenset({"@context", "type", "@type", "proofPurpose"})
"""Members in which no placeholder may stand: what a document means must not depend on a spreadsheet."""

DEFAULT_FILE_NAME = "{{@row}}"

MAX_FILE_NAME_BYTES = 200
"""What leaves room for the ending, and for the temporary one while the file is written, in 255 bytes."""

_UNSAFE_IN_NAMES = re.compile(r"[^\w.-]+")

Fill = Callable[[Values, list[Json]], Json]
"""Build one value from a row, and append what came from the row: see `Filled.shape`."""


@dataclass(frozen=True, slots=True)
class Filled:
    """One award before it is signed.

    `varying` are the values that came from its row, in the template's order. Parts of `credential` that are
    equal in all awards are shared between them: do not change it in place.
    """

    credential: dict[str, Json]
    varying: list[Json]

    @property
    def shape(self) -> str:
        """Equal for two awards of a template only if their JSON-LD structures are.

        A letter for each value, as `registry.structures.structure_key` has it, so that each is expanded once.
        """
        return "".join([_letter(value) for value in self.varying])


class Template:
    """A parsed template; `columns` are the names that a table must have, no more and no fewer.

    `constants` are the objects and lists that are the same in every award: the very same ones, so that what
    is known of them can be remembered by identity.
    """

    def __init__(
        self,
        *,
        name: str,
        credential: dict[str, Json],
        file_name: str,
        digest_source: bytes,
        fixed: Mapping[str, str] | None = None,
        strict_profile: bool = False,
    ) -> None:
        """Use `parse_template`. `digest_source` is the whole document in one form, for the job's key."""
        self.name = name
        self.digest_source = digest_source
        self.strict_profile = strict_profile
        self.constants: list[Json] = []
        self._credential, self._file_name = credential, file_name
        self._fixed = Values(f"template {name}", {}, fixed or {})
        self._placeholders: list[Placeholder] = []
        self._fill = self._compile(credential, "/credential", None)
        self._name_parts = self._parse(file_name, "/fileName")
        self.columns = tuple(
            dict.fromkeys(item.column for item in self._placeholders if not item.column.startswith("@"))
        )

    def bound(self, fixed: Mapping[str, str]) -> "Template":
        """The same template with some built-in values filled in for good, which makes filling it faster."""
        return Template(
            name=self.name,
            credential=self._credential,
            file_name=self._file_name,
            digest_source=self.digest_source,
            fixed=fixed,
            strict_profile=self.strict_profile,
        )

    def check_columns(self, columns: tuple[str, ...], table: str) -> None:
        """The table has exactly the columns that the template names. Raises MalformedError."""
        missing = [name for name in self.columns if name not in columns]
        if missing:
            shown = ", ".join("{{" + name + "}}" for name in missing)
            raise MalformedError(table, f"has no column for {shown} of template {self.name}")
        unknown = [name for name in columns if name not in self.columns]
        if unknown:
            reason = f"has columns that template {self.name} does not use: {', '.join(unknown)}"
            raise MalformedError(table, reason)

    def fill(self, values: Values) -> Filled:
        """The credential of one row. Raises MalformedError naming the placeholder."""
        varying: list[Json] = []
        credential = self._fill(values, varying)
        if not isinstance(credential, dict):  # a template's credential is an object: parse_template saw to it
            raise TypeError("a template fills an object")
        return Filled(credential, varying)

    def file_name(self, values: Values) -> str:
        """What the file of one row is called, without its ending. Raises MalformedError as `fill`."""
        parts = [part if isinstance(part, str) else str(part.convert(values)) for part in self._name_parts]
        return _file_name("".join(parts), values)

    # -- compiling: what is the same in every award is computed once, the rest becomes functions

    def _compile(self, value: Json, where: str, member: str | None) -> Fill:
        if isinstance(value, str):
            return self._compile_text(value, where, member)
        if isinstance(value, list):
            return self._compile_list(value, where, member)
        if isinstance(value, dict):
            return self._compile_object(value, where)
        return _Constant(value)

    def _compile_text(self, text: str, where: str, member: str | None) -> Fill:
        parts = self._parse(text, where)
        if member in FIXED and any(isinstance(part, Placeholder) for part in parts):
            raise MalformedError(f"template {self.name} {where}", f"{member} cannot come from a column")
        fill = _fill_value(parts[0]) if len(parts) == 1 else _fill_text(parts)
        known = self._fixed.built_in
        if any(isinstance(part, Placeholder) and part.column not in known for part in parts):
            return fill
        return _Constant(fill(self._fixed, []))

    def _compile_list(self, items: list[Json], where: str, member: str | None) -> Fill:
        fills = [self._compile(item, f"{where}/{number}", member) for number, item in enumerate(items)]

        def fill_list(values: Values, varying: list[Json]) -> Json:
            return [item for fill in fills if (item := fill(values, varying)) is not OMITTED]

        if all(isinstance(fill, _Constant) for fill in fills):
            return self._keep(fill_list(self._fixed, []))
        return fill_list

    def _compile_object(self, members: dict[str, Json], where: str) -> Fill:
        shared: dict[str, Json] = {}
        fills = []
        for name, value in members.items():
            if "{{" in name:
                reason = f"the member name {name!r} has a placeholder"
                raise MalformedError(f"template {self.name} {where}", reason)
            fill = self._compile(value, f"{where}/{name}", name)
            if not isinstance(fill, _Constant):
                shared[name] = None  # its place, so that members keep the order in which they are written
                fills.append((name, fill))
            elif fill.value is not OMITTED:
                shared[name] = fill.value

        def fill_object(values: Values, varying: list[Json]) -> Json:
            filled = shared.copy()
            for name, fill in fills:
                item = fill(values, varying)
                if item is OMITTED:
                    del filled[name]
                else:
                    filled[name] = item
            return filled

        return fill_object if fills else self._keep(shared)

    def _keep(self, value: Json) -> Fill:
        self.constants.append(value)
        return _Constant(value)

    def _parse(self, text: str, where: str) -> list[str | Placeholder]:
        parts = parse_text(text, f"template {self.name} {where}")
        self._placeholders += [part for part in parts if isinstance(part, Placeholder)]
        return parts


def parse_template(data: bytes, name: str) -> Template:
    """The template in a file called `name`. Raises MalformedError naming file, member and placeholder."""
    subject = f"template {name}"
    document = parse_json(data, subject=subject, max_bytes=MAX_TEMPLATE_BYTES)
    shape = Shape(document, subject)
    shape.expect("type", "CredentialTemplate")
    shape.expect("version", 1)
    shape.optional_text("description")
    file_name = shape.optional_text("fileName", max_length=256) or DEFAULT_FILE_NAME
    strict_profile = shape.flag("strictProfile")
    credential = shape.any("credential")
    if not isinstance(credential, dict):
        raise MalformedError(f"{subject} /credential", "must be an object")
    for member in RESERVED:
        if member in credential:
            raise MalformedError(f"{subject} /credential/{member}", "is written when issuing; leave it out")
    if not isinstance(credential.get("issuer", {}), dict):
        raise MalformedError(f"{subject} /credential/issuer", "must be an object, without an id")
    shape.refuse_unknown()
    source = json.dumps(document, sort_keys=True).encode()
    return Template(
        name=name,
        credential=credential,
        file_name=file_name,
        digest_source=source,
        strict_profile=strict_profile,
    )


def conversions() -> Mapping[str, str]:
    """The types that a placeholder may have, each with what it accepts; for documentation and help."""
    return {name: conversion.accepts for name, conversion in CONVERSIONS.items()}


def _fill_value(part: str | Placeholder) -> Fill:
    """A value that is one placeholder, typed or not, or plain text."""
    if isinstance(part, str):
        return _Constant(part)

    def fill_value(values: Values, varying: list[Json]) -> Json:
        value = part.convert(values)
        varying.append(value)
        return value

    return fill_value


def _fill_text(parts: list[str | Placeholder]) -> Fill:
    """A text with placeholders in it."""

    def fill_text(values: Values, varying: list[Json]) -> Json:
        text = "".join([part if isinstance(part, str) else str(part.convert(values)) for part in parts])
        varying.append(text)
        return text

    return fill_text


@dataclass(frozen=True, slots=True)
class _Constant:
    """What is the same in every award."""

    value: Json

    def __call__(self, _values: Values, _varying: list[Json]) -> Json:
        return self.value


def _letter(value: Json) -> str:
    """What structure keys distinguish of a value."""
    if isinstance(value, str):
        return string_class(value)
    if value is OMITTED:
        return "-"
    return "b" if isinstance(value, bool) else "n"


def _file_name(text: str, values: Values) -> str:
    """A name that every file system takes: letters, digits, `.`, `_`, `-`; at most 100 characters.

    File systems count bytes, 255 of them: letters of other scripts take up to four each.
    """
    name = _UNSAFE_IN_NAMES.sub("-", text).strip(".-")[:100]
    name = name.encode("utf-8", "ignore")[:MAX_FILE_NAME_BYTES].decode("utf-8", "ignore")
    if not name:
        raise MalformedError(values.where, "gives an empty file name")
    return name
