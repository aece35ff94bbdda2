"""did:ethr: the name, and the DID document that the events of an ERC-1056 registry make of it.

The document is the one that the method's reference resolver makes, numbers of keys and services included, so
that a verification method named anywhere means the same key here.
https://github.com/decentralized-identity/ethr-did-resolver/blob/master/doc/did-method-spec.md
"""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from testamur.registry.canonical import Json, parse_json
from testamur.registry.did_ethr_events import AttributeChanged, DelegateChanged, EthrEvent, OwnerChanged
from testamur.registry.dids import parse_did
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import keccak256
from testamur.registry.keys import Algorithm, PublicKey, parse_public_key
from testamur.registry.multiformats import encode_multibase
from testamur.registry.timestamps import format_timestamp

CONTEXT: Final = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/suites/secp256k1recovery-2020/v2",
    "https://w3id.org/security/v3-unstable",
)

NETWORKS: Final[Mapping[str, int]] = {"mainnet": 1, "goerli": 5, "sepolia": 11_155_111}
"""Networks with a name; every other one is named by its chain id, 0x and hexadecimal digits."""

MAX_CHANGES: Final = 256
"""Blocks in which one identity was changed: a university changes keys a few times a year."""

MAX_EVENTS: Final = 1024
"""Changes of one identity in all of them."""

MAX_BASE58_BYTES: Final = 160
"""Of a key written in base58, which takes time with the square of its length; others are shown as `value`."""

_RECOVERY: Final = "EcdsaSecp256k1RecoveryMethod2020"
_SECP256K1: Final = "EcdsaSecp256k1VerificationKey2019"
_NOBODY: Final = b"\0" * 20

_IDENTIFIER: Final = re.compile(
    r"(?:(?P<network>mainnet|goerli|sepolia|0x[0-9a-fA-F]{1,16}):)?"
    r"0x(?:(?P<address>[0-9a-fA-F]{40})|(?P<key>[0-9a-fA-F]{66}))"
)
_ATTRIBUTE: Final = re.compile(
    r"did/(?P<section>pub|svc)/(?P<what>\w+)(?:/(?P<use>\w+))?(?:/(?P<encoding>\w+))?", re.ASCII
)
_KEY_TYPES: Final[Mapping[tuple[str, str | None], str]] = {
    ("Secp256k1", "veriKey"): _SECP256K1,
    ("Secp256k1", "sigAuth"): _SECP256K1,
    ("Ed25519", "veriKey"): "Ed25519VerificationKey2018",
    ("Ed25519", "sigAuth"): "Ed25519VerificationKey2018",
    ("RSA", "veriKey"): "RSAVerificationKey2018",
    ("X25519", "enc"): "X25519KeyAgreementKey2019",
}
"""What a key is called; others keep the name that the attribute gives them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EthrDid:
    """A did:ethr taken apart. `key` is there when the DID names a public key instead of an account."""

    did: str
    chain_id: int
    address: bytes
    key: PublicKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EthrHistory:
    """Every change of one identity, oldest first, and when (Unix time) each of their blocks was made."""

    events: Sequence[EthrEvent] = ()
    times: Mapping[int, int] = field(default_factory=dict)


def parse_did_ethr(did: str) -> EthrDid:
    """Chain and account of a did:ethr; without a network it is Ethereum's main network.

    Raises MalformedError for another method, another form, and a key that is no point of secp256k1.
    """
    parsed = parse_did(did)
    found = _IDENTIFIER.fullmatch(parsed.identifier) if parsed.method == "ethr" else None
    if found is None:
        raise MalformedError("did:ethr", "is not did:ethr:[network:]0x… with an address or a compressed key")
    network = found["network"] or "mainnet"
    chain_id = NETWORKS[network] if network in NETWORKS else int(network, 16)
    if found["address"]:
        return EthrDid(did=did, chain_id=chain_id, address=bytes.fromhex(found["address"]))
    key = parse_public_key(Algorithm.SECP256K1, bytes.fromhex(found["key"]), subject="did:ethr key")
    address = keccak256(b"".join(key.to_coordinates()))[-20:]
    return EthrDid(did=did, chain_id=chain_id, address=address, key=key)


def checksum_address(address: bytes) -> str:
    """`0x…` with the capitals that tell a mistyped address (EIP-55)."""
    digits = address.hex()
    marks = keccak256(digits.encode()).hex()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) > 7 else digit for digit, mark in zip(digits, marks, strict=False)
    )


def ethr_document(
    did: EthrDid, history: EthrHistory, *, moment: datetime, last_block: int | None = None
) -> tuple[dict[str, Json], dict[str, Json]]:
    """The DID document as it was at `moment`, and what DID resolution says about it (`versionId` …).

    Changes in blocks made later than `moment`, or after `last_block`, are yet to come. A key counts up to and
    including the second that its event names. An identity given to nobody is deactivated for good.
    """
    seconds = int(moment.timestamp())
    builder = _Builder(did, seconds)
    version = following = 0
    for event in history.events:
        if history.times[event.block] > seconds or (last_block is not None and event.block > last_block):
            following = following or event.block
        elif builder.owner != _NOBODY:
            builder.apply(event)
            version = event.block
    metadata: dict[str, Json] = {}
    if builder.owner == _NOBODY:
        metadata["deactivated"] = True
    for name, when, block in (("versionId", "updated", version), ("nextVersionId", "nextUpdate", following)):
        if block:
            metadata[name] = str(block)
            metadata[when] = format_timestamp(datetime.fromtimestamp(history.times[block], UTC))
    return builder.document(), metadata


class _Builder:
    """The document while events are applied. A key is found again by what its event says."""

    def __init__(self, did: EthrDid, seconds: int) -> None:
        self.owner = did.address
        self._did = did
        self._seconds = seconds
        self._keys = 0
        self._services = 0
        self._methods: dict[tuple[str, bytes], dict[str, Json]] = {}
        self._uses: dict[tuple[str, bytes], tuple[str, ...]] = {}
        self._endpoints: dict[tuple[str, bytes], dict[str, Json]] = {}

    def apply(self, event: EthrEvent) -> None:
        if isinstance(event, OwnerChanged):
            self.owner = event.owner
        elif isinstance(event, DelegateChanged):
            self._delegate(event)
        else:
            self._attribute(event)

    def document(self) -> dict[str, Json]:
        did = self._did
        methods: list[Json] = []
        uses: dict[str, list[Json]] = {"authentication": [], "assertionMethod": [], "keyAgreement": []}
        if self.owner != _NOBODY:
            own = [self._account("controller", self.owner)]
            if did.key is not None and self.owner == did.address:
                key = {"type": _SECP256K1, "controller": did.did, "publicKeyHex": did.key.raw.hex()}
                own.append({"id": f"{did.did}#controllerKey", **key})
            methods = [*own, *self._methods.values()]
            for name in ("authentication", "assertionMethod"):
                uses[name] += [method["id"] for method in own]
            for place, names in self._uses.items():
                for name in names:
                    uses[name].append(self._methods[place]["id"])
        document: dict[str, Json] = {"@context": list(CONTEXT), "id": did.did, "verificationMethod": methods}
        document |= {name: ids for name, ids in uses.items() if ids or name != "keyAgreement"}
        if self._endpoints and self.owner != _NOBODY:
            document["service"] = list(self._endpoints.values())
        return document

    def _account(self, fragment: str, address: bytes) -> dict[str, Json]:
        account = f"eip155:{self._did.chain_id}:{checksum_address(address)}"
        known: dict[str, Json] = {"id": f"{self._did.did}#{fragment}", "type": _RECOVERY}
        return {**known, "controller": self._did.did, "blockchainAccountId": account}

    def _delegate(self, event: DelegateChanged) -> None:
        self._keys += 1
        place = (f"delegate {event.kind}", event.delegate)
        if event.valid_to < self._seconds:
            self._forget(place)
        elif event.kind in ("veriKey", "sigAuth"):
            self._methods[place] = self._account(f"delegate-{self._keys}", event.delegate)
            also = ("authentication",) if event.kind == "sigAuth" else ()
            self._uses[place] = ("assertionMethod", *also)

    def _attribute(self, event: AttributeChanged) -> None:
        found = _ATTRIBUTE.fullmatch(event.name)
        place = (f"attribute {event.name}", event.value)
        is_over = event.valid_to < self._seconds
        # The reference resolver counts what is over by the beginning of its name alone.
        if event.name.startswith("did/pub/") and (found or is_over):
            self._keys += 1
        elif event.name.startswith("did/svc/") and (found or is_over):
            self._services += 1
        if is_over:
            self._forget(place)
        elif found is not None and found["section"] == "pub":
            kind = _KEY_TYPES.get((found["what"], found["use"]), found["what"])
            self._methods[place] = {
                "id": f"{self._did.did}#delegate-{self._keys}",
                "type": kind,
                "controller": self._did.did,
                **_key_text(found["encoding"], event.value),
            }
            other = {"sigAuth": ("assertionMethod", "authentication"), "enc": ("keyAgreement",)}
            self._uses[place] = other.get(found["use"], ("assertionMethod",))
        elif found is not None:
            self._endpoints[place] = {
                "id": f"{self._did.did}#service-{self._services}",
                "type": found["what"],
                "serviceEndpoint": _endpoint(event.value),
            }

    def _forget(self, place: tuple[str, bytes]) -> None:
        for known in (self._methods, self._uses, self._endpoints):
            known.pop(place, None)


def _key_text(encoding: str | None, value: bytes) -> dict[str, Json]:
    if encoding in (None, "hex"):
        return {"publicKeyHex": value.hex()}
    if encoding == "base64":
        return {"publicKeyBase64": b64encode(value).decode("ascii")}
    if encoding == "base58" and len(value) <= MAX_BASE58_BYTES:
        return {"publicKeyBase58": encode_multibase("z", value)[1:]}
    if encoding == "pem":
        return {"publicKeyPem": value.decode("utf-8", "replace")}
    return {"value": value.hex()}


def _endpoint(value: bytes) -> Json:
    """JSON where it is an object or a list, text otherwise."""
    if value[:1] in (b"{", b"["):
        try:
            return parse_json(value, subject="service endpoint")
        except MalformedError:
            pass
    return value.decode("utf-8", "replace")
