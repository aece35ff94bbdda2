"""Drafting the next version of a trust file, and the card by which a member gives its keys to the council.

A draft changes what it is told to change and nothing else. Old keys stay listed with the end of their time,
so that what they signed goes on counting; a member with several keys of one role counts once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from testamur.registry.canonical import Json, canonicalize, parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.multiformats import encode_digest
from testamur.registry.notes import parse_vkey
from testamur.registry.shapes import Shape
from testamur.registry.timestamps import format_timestamp, parse_timestamp
from testamur.registry.trust import MAX_KEYS_PER_ROLE, ROLES, TrustFile, parse_trust_file

CARD_TYPE = "TestamurMember"

MAX_CARD_BYTES = 64 * 1024
"""A name, an address and a key for each role, as text."""

HANDOVER = timedelta(days=7)
"""How long a replaced key counts beside the new one. Until the last member uses the new version, the old
key still signs; and a header has its chain's time, which may be ahead of the drafter's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCard:
    """A member's name, address and present keys (vkey texts) by role, as the member itself gives them."""

    name: str
    url: str | None
    keys: Mapping[str, tuple[str, ...]]

    def to_json(self) -> dict[str, Json]:
        """The document that goes to the council."""
        document: dict[str, Json] = {
            "type": CARD_TYPE,
            "version": 1,
            "name": self.name,
            "url": self.url,
        }
        for role in ROLES:
            document[role] = list(self.keys[role])
        return document


def parse_card(data: bytes) -> MemberCard:
    """A member's card. Raises MalformedError."""
    shape = Shape(parse_json(data, subject="member card", max_bytes=MAX_CARD_BYTES), "member card")
    shape.expect("type", CARD_TYPE)
    shape.expect("version", 1)
    card = MemberCard(
        name=shape.text("name", max_length=128),
        url=shape.optional_text("url"),
        keys={role: tuple(shape.texts(role, maximum=MAX_KEYS_PER_ROLE, max_length=4096)) for role in ROLES},
    )
    shape.refuse_unknown()
    for texts in card.keys.values():
        for text in texts:
            parse_vkey(text)
    return card


def draft_successor(
    trust: TrustFile,
    *,
    issued: str,
    cards: Iterable[MemberCard] = (),
    ended: Iterable[str] = (),
    threshold: int | None = None,
    quorums: Mapping[str, int] | None = None,
    handover: timedelta = HANDOVER,
) -> bytes:
    """The unsigned version after `trust`, in canonical form.

    Each card adds its member or replaces its present keys: new ones count from `issued` (a timestamp) on, and
    the ones that they replace end `handover` later, so that nothing that was signed before everybody uses
    this version is lost. Members named in `ended` keep what they signed before `issued` and sign no more.
    `threshold` is the succession rule of the new version; `quorums` gives the number of witnesses and of
    mirrors; a policy is written anew when the keys of its role changed or its quorum is given, for a majority
    unless told.
    Raises MalformedError for a result that is no trust file, or a member that is not there.
    """
    document: dict[str, Json] = parse_document(trust)
    document.update(sequence=trust.sequence + 1, previous=encode_digest(trust.digest), issued=issued)
    document["signatures"] = []
    members = [_Draft(item) for item in _objects(document["members"])]
    for card in cards:
        found = next((member for member in members if member.name == card.name), None)
        if found is None:
            found = _Draft({"name": card.name, "url": card.url})
            members.append(found)
        found.take(card, issued, replaced_until=format_timestamp(parse_timestamp(issued) + handover))
    for name in ended:
        leaving = next((member for member in members if member.name == name), None)
        if leaving is None:
            raise MalformedError("trust file /members", f"has no member {name[:120]!r}")
        leaving.end(issued)
    document["members"] = [member.json for member in members]
    if threshold is not None:
        document["succession"] = {"threshold": threshold}
    policies = document["policies"]
    for role in ("witness", "mirror"):
        wanted = (quorums or {}).get(role)
        changed = any(role in member.changed for member in members)
        if isinstance(policies, dict) and (changed or wanted is not None):
            policies[role] = _policy(members, role, wanted)
    data = canonicalize(document) + b"\n"
    parse_trust_file(data)
    return data


def parse_document(trust: TrustFile) -> dict[str, Json]:
    """A copy of the document that a trust file was parsed from, to be changed."""
    copied = parse_json(canonicalize(trust.json), subject="trust file")
    return copied if isinstance(copied, dict) else {}


class _Draft:
    """A member of the document, on its way to the next version."""

    def __init__(self, json: dict[str, Json]) -> None:
        self.json = json
        self.name = str(json["name"])
        self.changed: set[str] = set()

    def keys(self, role: str) -> list[dict[str, Json]]:
        return _objects(self.json.get(role))

    def take(self, card: MemberCard, issued: str, *, replaced_until: str) -> None:
        self.json["url"] = card.url
        for role in ROLES:
            wanted, keys = card.keys[role], self.keys(role)
            for item in keys:
                if item["key"] not in wanted and item.get("until") is None:
                    item["until"] = replaced_until if wanted else issued
                    self.changed.add(role)
            known = [item["key"] for item in keys]
            for text in wanted:
                if text not in known:
                    keys.append({"key": text, "from": issued, "until": None})
                    self.changed.add(role)
            self.json[role] = list(keys)

    def end(self, issued: str) -> None:
        for role in ROLES:
            for item in self.keys(role):
                if item.get("until") is None:
                    item["until"] = issued
                    self.changed.add(role)

    def is_present(self, role: str) -> bool:
        return any(item.get("until") is None for item in self.keys(role))


def _policy(members: list[_Draft], role: str, wanted: int | None) -> str:
    """A tlog-policy in which each member counts once, by any of its keys, within their time."""
    lines, names = [], []
    for number, member in enumerate(members):
        texts = [str(item["key"]) for item in member.keys(role)]
        if not texts:
            continue
        # Names of this text only: a member's name may hold what a policy's name may not.
        name = f"member-{number + 1}"
        single = len(texts) == 1
        own = [name if single else f"{name}-key-{index + 1}" for index in range(len(texts))]
        lines += [f"witness {key_name} {text}" for key_name, text in zip(own, texts, strict=True)]
        if not single:
            lines.append(f"group {name} 1 {' '.join(own)}")
        names.append(name)
    present = sum(member.is_present(role) for member in members)
    needed = present // 2 + 1 if wanted is None else wanted
    if not 1 <= needed <= max(present, 1) or not names:
        raise MalformedError("trust file /policies", f"cannot ask for {needed} of {present} {role} keys")
    return "\n".join([*lines, f"group members {needed} {' '.join(names)}", "quorum members", ""])


def _objects(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
