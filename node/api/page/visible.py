"""A stranger's text, made safe to look at: nothing invisible, nothing that turns or overprints the rest.

The template escapes what HTML means; this is about what Unicode means.
"""

import re
import unicodedata

MAX_SHOWN_CHARACTERS = 300
"""A name is a line. A longer one is cut, or a file could push its own verdict off the screen."""

MAX_MARKS = 4
"""Combining marks on one letter; no script needs more, and hundreds of them overprint the lines around."""

_BLANKS = "\u115f\u1160\u2800\u3164\uffa0"
"""Letters and symbols by their category, and nothing to the eye."""

_UNUSUAL = re.compile(r"[^\n\x20-\x7e]")


def visible(value: object) -> str:
    """One line in which control, format and blank characters show as what they are: `[U+202E]`."""
    shown: list[str] = []
    marks = 0
    for character in str(value)[: MAX_SHOWN_CHARACTERS + 1]:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > MAX_MARKS:
            continue
        is_hidden = category[0] == "C" or category in {"Zl", "Zp"} or character in _BLANKS
        shown.append(f"[U+{ord(character):04X}]" if is_hidden else character)
    if len(str(value)) > MAX_SHOWN_CHARACTERS:
        shown[-1] = "…"
    return "".join(shown)


def ascii_controls(json_text: str) -> str:
    """JSON text with the same meaning in which every invisible character is escaped as JSON does it."""
    return _UNUSUAL.sub(_escape, json_text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    if unicodedata.category(character)[0] != "C" and character not in f"\u2028\u2029{_BLANKS}":
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))
