"""What the next version of a trust file may change: the future, and never what was true of the past.

Quorum or not: a range of blocks that was closed stays as it was, no key vanishes, an ended key stays ended,
and nobody's key becomes somebody else's. So evidence that verified for a reason does not verify for another
one later.
Format: docs/spec/trust-file.md.
"""

from datetime import datetime

from testamur.registry.canonical import Json, canonicalize
from testamur.registry.errors import VerificationError
from testamur.registry.finality import SealRule
from testamur.registry.notes import VerifierKey
from testamur.registry.trust import ROLES, DatedKey, TrustedChain, TrustFile


def verify_changes(earlier: TrustFile, later: TrustFile) -> None:
    """Prove that `later` is the next version after `earlier` and rewrites nothing; who signed is not asked.

    Raises VerificationError: trust-registry-mismatch, trust-version-fell, trust-version-skipped,
    trust-predecessor-mismatch, trust-development-changed, trust-issued-earlier, trust-chain-rewritten,
    trust-chain-unpinned, trust-key-moved, trust-key-backdated, trust-key-revived, trust-key-dropped.
    """
    number = later.sequence
    if later.registry != earlier.registry:
        raise VerificationError("trust-registry-mismatch", got=later.registry, wanted=earlier.registry)
    if number <= earlier.sequence:
        raise VerificationError("trust-version-fell", sequence=number, known=earlier.sequence)
    if number != earlier.sequence + 1:
        raise VerificationError("trust-version-skipped", sequence=number, known=earlier.sequence)
    if later.previous != earlier.digest:
        raise VerificationError("trust-predecessor-mismatch", sequence=number, known=earlier.sequence)
    if later.development != earlier.development:
        raise VerificationError("trust-development-changed", sequence=number)
    if later.issued < earlier.issued:
        # Else an ended key could sign again, under a date at which it was in force.
        raise VerificationError("trust-issued-earlier", sequence=number)
    _verify_chains(earlier, later)
    _verify_keys(earlier, later)


def describe_changes(earlier: TrustFile, later: TrustFile) -> list[str]:
    """What a member reads before signing: each difference in a line, nothing left out but the digests."""
    lines = []
    old, new = _entries(earlier), _entries(later)
    for key in sorted(set(old) | set(new), key=VerifierKey.to_text):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        member, role, dated = after or before or ("", "", None)
        which = f"the {role} key {key.to_text()} of {member}"
        if after is None or dated is None:
            lines.append(f"drops {which}")
        elif dated.is_over_at(dated.since):
            lines.append(f"voids {which}: nothing that it ever signed counts")
        else:
            verb = "sets the time of" if before else "adds"
            lines.append(f"{verb} {which}: {_until(dated.since)} to {_until(dated.until)}")
    lines += _closings(earlier, later)
    for name in sorted(set(earlier.json) | set(later.json)):
        if name in {"members", "sequence", "previous", "issued", "signatures"}:
            continue
        old_part, new_part = earlier.json.get(name), later.json.get(name)
        if canonicalize(old_part) != canonicalize(new_part):
            lines.append(f"sets {name} to {canonicalize(new_part).decode()}")
    return [*lines, *_url_changes(earlier, later)]


def _verify_chains(earlier: TrustFile, later: TrustFile) -> None:
    """Ranges stay, in their order; an open one may be closed, with its last header; new ones follow."""
    for number, before in enumerate(earlier.chains):
        after = later.chains[number] if number < len(later.chains) else None
        if after is None or not _continues(
            before, after, _finality(earlier, number), _finality(later, number)
        ):
            raise VerificationError(
                "trust-chain-rewritten",
                sequence=later.sequence,
                chain=before.chain_id,
                block=before.from_block,
            )
        if before.until_block is None and after.until_block is not None and after.last_header is None:
            raise VerificationError(
                "trust-chain-unpinned", sequence=later.sequence, chain=after.chain_id, block=after.until_block
            )
    for added in later.chains[len(earlier.chains) :]:
        for before in earlier.chains:
            same = (before.chain_id, before.genesis_hash) == (added.chain_id, added.genesis_hash)
            if same and added.from_block <= before.from_block:
                # Blocks before the first known range are the past as well.
                raise VerificationError(
                    "trust-chain-rewritten",
                    sequence=later.sequence,
                    chain=added.chain_id,
                    block=added.from_block,
                )


def _continues(before: TrustedChain, after: TrustedChain, old_rule: bytes, new_rule: bytes) -> bool:
    same_place = (before.chain_id, before.genesis_hash, before.contract, before.from_block) == (
        after.chain_id,
        after.genesis_hash,
        after.contract,
        after.from_block,
    )
    if not same_place:
        return False
    if before.until_block is not None:
        pinned = before.last_header in {None, after.last_header}
        return old_rule == new_rule and before.until_block == after.until_block and pinned
    if isinstance(before.finality, SealRule) and isinstance(after.finality, SealRule):
        # Sets stand in the order of their blocks, so whatever is added holds from a later block on.
        return after.finality.sets[: len(before.finality.sets)] == before.finality.sets
    # As bytes: of a rule that this version does not understand, every member counts.
    return old_rule == new_rule


def _finality(trust: TrustFile, number: int) -> bytes:
    chains = trust.json["chains"]
    item: Json = chains[number] if isinstance(chains, list) else None
    return canonicalize(item["finality"] if isinstance(item, dict) else None)


def _closings(earlier: TrustFile, later: TrustFile) -> list[str]:
    """What a range of blocks takes back when it is closed: a trust file does not know how far a chain is."""
    return [
        f"closes chain {before.chain_id} at block {after.until_block}: evidence that rests on a later block"
        f" of contract 0x{before.contract.hex()} counts no more. Is the contract silent from there on?"
        for before, after in zip(earlier.chains, later.chains, strict=False)
        if before.until_block is None and after.until_block is not None
    ]


def _verify_keys(earlier: TrustFile, later: TrustFile) -> None:
    """No key vanishes, so what must never come back is seen by comparing two neighbours."""
    known = {entry[2].key.raw: entry for entry in _entries(earlier).values()}
    listed = _entries(later)
    for member, role, dated in listed.values():
        before = known.get(dated.key.raw)
        if before is None:
            if dated.since < earlier.issued:
                raise VerificationError("trust-key-backdated", name=dated.key.name[:200])
        elif before[:2] != (member, role):
            raise VerificationError("trust-key-moved", name=dated.key.name[:200], member=before[0][:120])
        else:
            _verify_time(before[2], dated, later.issued)
    for _, _, dated in known.values():
        # The whole key: under another name it would be no other signature's, and the old ones nobody's.
        if dated.key not in listed:
            raise VerificationError("trust-key-dropped", name=dated.key.name[:200], sequence=later.sequence)


def _verify_time(before: DatedKey, after: DatedKey, issued: datetime) -> None:
    """A key's time may be cut short or, while it is in force, made longer; its past is not widened."""
    if after.since < before.since:
        raise VerificationError("trust-key-backdated", name=after.key.name[:200])
    if before.is_over_at(issued) and (
        after.until is None or before.until is None or after.until > before.until
    ):
        raise VerificationError("trust-key-revived", name=after.key.name[:200])


def _entries(trust: TrustFile) -> dict[VerifierKey, tuple[str, str, DatedKey]]:
    """Every key with its member, its role and its time; none is in a trust file twice."""
    return {
        dated.key: (member.name, role, dated)
        for member in trust.members
        for role in ROLES
        for dated in getattr(member, role)
    }


def _url_changes(earlier: TrustFile, later: TrustFile) -> list[str]:
    old = {member.name: member.url for member in earlier.members}
    new = {member.name: member.url for member in later.members}
    return [
        *(f"adds the member {name}, {new[name] or 'without address'}" for name in new if name not in old),
        *(f"removes the member {name}" for name in old if name not in new),
        *(
            f"sets the address of {name} to {new[name]}"
            for name in new
            if name in old and new[name] != old[name]
        ),
    ]


def _until(moment: datetime | None) -> str:
    return "further notice" if moment is None else moment.isoformat()
