"""C2SP tlog-policy: which witnesses must have cosigned before a checkpoint counts (https://c2sp.org/tlog-policy)."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from testamur.registry.errors import MalformedError
from testamur.registry.line_formats import encode_utf8
from testamur.registry.notes import COSIGNATURE_ED25519, ED25519, VerifierKey, parse_vkey

MAX_POLICY_BYTES: Final = 1 << 16
"""A policy is written by hand; 64 KiB hold the other limits together."""

MAX_POLICY_LOGS: Final = 256
MAX_POLICY_WITNESSES: Final = 256
MAX_POLICY_GROUPS: Final = 256
"""The specification asks for 32 of each; a consortium may have 200 members."""

NO_QUORUM: Final = "none"
"""The predefined name: no cosignature is needed. Never a member of a group."""

_SUBJECT: Final = "witness policy"
_REFUSED_OCTETS: Final = re.compile(rb"[^\x09\x0a\x20-\x7e\x80-\xff]")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """At least `threshold` of `members` (names of witnesses and of other groups) must have cosigned."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPolicy:
    """A parsed policy: every name is defined before it is used, and counts in one way only.

    `witnesses` and `groups` are in the order of the text; `quorum` is a name in one of them, or `NO_QUORUM`.
    `urls` has the addresses of those logs and witnesses that have one.
    """

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, VerifierKey]
    groups: Mapping[str, Group]
    quorum: str
    urls: Mapping[VerifierKey, str] = field(default_factory=dict)

    def is_satisfied_by(self, cosigned: Collection[VerifierKey]) -> bool:
        """Whether these keys, all of them proven to have cosigned, are a quorum. Other keys do not count."""
        if self.quorum == NO_QUORUM:
            return True
        reached = {name for name, key in self.witnesses.items() if key in cosigned}
        # Groups stand after their members, so one pass decides them all, however deep they nest.
        for name, group in self.groups.items():
            if sum(member in reached for member in group.members) >= group.threshold:
                reached.add(name)
        return self.quorum in reached

    def count(self, cosigned: Collection[VerifierKey]) -> tuple[int, int]:
        """How many of the policy's witnesses are among these keys, and how many it has."""
        return sum(key in cosigned for key in self.witnesses.values()), len(self.witnesses)

    @property
    def threshold_text(self) -> str:
        """The quorum rule for people: "2 of 3", "2 of [2 of 3, 1 of 3]", "none"."""
        if self.quorum == NO_QUORUM:
            return NO_QUORUM
        words = dict.fromkeys(self.witnesses, "1 of 1")
        for name, group in self.groups.items():
            if all(member in self.witnesses for member in group.members):
                words[name] = f"{group.threshold} of {len(group.members)}"
            else:
                words[name] = f"{group.threshold} of [{', '.join(words[member] for member in group.members)}]"
        return words[self.quorum]


def parse_policy(text: str | bytes) -> WitnessPolicy:
    """The policy in `text`. Raises MalformedError naming the line.

    Names and URLs are opaque octets: what is not UTF-8 is carried as surrogate escapes and compared as is.
    """
    lines = _lines(text)
    builder = _Builder()
    for number, line in enumerate(lines, start=1):
        # Not str.split(): spaces beyond ASCII are part of names.
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            builder.add(words[0], words[1:])
        except MalformedError as exc:
            raise MalformedError(_SUBJECT, f"line {number}: {exc.reason}") from exc
    return builder.policy()


def _lines(text: str | bytes) -> list[str]:
    data = encode_utf8(text, _SUBJECT) if isinstance(text, str) else text
    if len(data) > MAX_POLICY_BYTES:
        raise MalformedError(_SUBJECT, f"is larger than {MAX_POLICY_BYTES} bytes")
    if _REFUSED_OCTETS.search(data):
        raise MalformedError(_SUBJECT, "holds a control character other than tab and newline")
    if not data.endswith(b"\n"):
        # A truncated last line could name another, weaker group.
        raise MalformedError(_SUBJECT, "does not end in a newline")
    return data[:-1].decode("utf-8", "surrogateescape").split("\n")


class _Builder:
    """The definitions so far, while the lines are read from top to bottom."""

    def __init__(self) -> None:
        self._logs: list[VerifierKey] = []
        self._witnesses: dict[str, VerifierKey] = {}
        self._groups: dict[str, Group] = {}
        self._grouped: set[str] = set()
        self._urls: dict[VerifierKey, str] = {}
        self._quorum: str | None = None
        self._keywords: dict[str, Callable[[list[str]], None]] = {
            "log": self._add_log,
            "witness": self._add_witness,
            "group": self._add_group,
            "quorum": self._set_quorum,
        }

    def add(self, keyword: str, words: list[str]) -> None:
        add = self._keywords.get(keyword)
        if add is None:
            raise _malformed("does not start with log, witness, group or quorum")
        add(words)

    def policy(self) -> WitnessPolicy:
        if self._quorum is None:
            raise _malformed("has no quorum line")
        return WitnessPolicy(
            logs=tuple(self._logs),
            witnesses=self._witnesses,
            groups=self._groups,
            quorum=self._quorum,
            urls=self._urls,
        )

    def _add_log(self, words: list[str]) -> None:
        if len(words) not in (1, 2):
            raise _malformed("is not log <vkey> [<url>]")
        if len(self._logs) == MAX_POLICY_LOGS:
            raise _malformed(f"there are more than {MAX_POLICY_LOGS} logs")
        key = _parse_key(words[0], ED25519, self._logs)
        self._logs.append(key)
        self._add_url(key, words[1:])

    def _add_witness(self, words: list[str]) -> None:
        if len(words) not in (2, 3):
            raise _malformed("is not witness <name> <vkey> [<url>]")
        if len(self._witnesses) == MAX_POLICY_WITNESSES:
            raise _malformed(f"there are more than {MAX_POLICY_WITNESSES} witnesses")
        self._check_new(words[0])
        key = _parse_key(words[1], COSIGNATURE_ED25519, self._witnesses.values())
        self._witnesses[words[0]] = key
        self._add_url(key, words[2:])

    def _add_group(self, words: list[str]) -> None:
        if len(words) < 3:
            raise _malformed("is not group <name> all|any|<k> <name>...")
        if len(self._groups) == MAX_POLICY_GROUPS:
            raise _malformed(f"there are more than {MAX_POLICY_GROUPS} groups")
        name, rule, *members = words
        self._check_new(name)
        for member in members:
            if not self._is_defined(member):
                raise _malformed("a group lists a name that is not defined above")
            if member in self._grouped:
                # Otherwise one witness could count twice.
                raise _malformed("a name is listed as a group member twice")
            self._grouped.add(member)
        self._groups[name] = Group(threshold=_parse_threshold(rule, len(members)), members=tuple(members))

    def _set_quorum(self, words: list[str]) -> None:
        if len(words) != 1:
            raise _malformed("is not quorum <name>")
        if self._quorum is not None:
            raise _malformed("there is a second quorum line")
        if words[0] != NO_QUORUM and not self._is_defined(words[0]):
            raise _malformed("the quorum is a name that is not defined above")
        self._quorum = words[0]

    def _add_url(self, key: VerifierKey, words: list[str]) -> None:
        if words:
            self._urls[key] = words[0]

    def _is_defined(self, name: str) -> bool:
        return name in self._witnesses or name in self._groups

    def _check_new(self, name: str) -> None:
        if name == NO_QUORUM or self._is_defined(name):
            raise _malformed("defines a name that is taken")


def _parse_key(text: str, algorithm: int, others: Collection[VerifierKey]) -> VerifierKey:
    key = parse_vkey(text)
    if key.algorithm != algorithm:
        raise _malformed(f"the key's signature type is {key.algorithm:#04x}, not {algorithm:#04x}")
    if any(other.raw == key.raw for other in others):
        # Two names for one key would let one holder count twice.
        raise _malformed("the same public key is listed twice")
    return key


def _parse_threshold(rule: str, members: int) -> int:
    if rule == "any":
        return 1
    if rule == "all":
        return members
    if not _NUMBER.fullmatch(rule) or int(rule) > members:
        raise _malformed(f"the threshold is not all, any or a number from 1 to {members}")
    return int(rule)


def _malformed(reason: str) -> MalformedError:
    return MalformedError(_SUBJECT, reason)
