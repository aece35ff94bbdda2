"""secp256k1 accounts, and EIP-1559 transactions signed by them: here, and never by the endpoint."""

from dataclasses import dataclass
from typing import Final

from coincurve import PrivateKey

from testamur.registry.evm import rlp
from testamur.registry.hashing import keccak256

SECRET_BYTES: Final = 32
_DYNAMIC_FEE: Final = b"\x02"


class ChainAccount:
    """An account whose secret this process holds: an operator, a controller or a council of one."""

    __slots__ = ("_key", "address")

    def __init__(self, secret: bytes) -> None:
        """`secret` is the private scalar, 32 bytes big-endian. Raises ValueError for zero or too much."""
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"a secp256k1 secret has {SECRET_BYTES} bytes")
        self._key = PrivateKey(secret)
        self.address: bytes = keccak256(self._key.public_key.format(compressed=False)[1:])[12:]

    def __repr__(self) -> str:
        return f"ChainAccount(0x{self.address.hex()})"

    def sign(self, transaction: "Transaction") -> "SignedTransaction":
        """The transaction with this account's signature. Deterministic (RFC 6979), low S (EIP-2)."""
        fields = transaction.fields()
        digest = keccak256(_DYNAMIC_FEE + rlp.encode(fields))
        signature: bytes = self._key.sign_recoverable(digest, hasher=None)
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
        signed = [*fields, *(rlp.encode_integer(value) for value in (signature[64], r, s))]
        raw = _DYNAMIC_FEE + rlp.encode(signed)
        return SignedTransaction(raw=raw, hash=keccak256(raw), nonce=transaction.nonce)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction of type 2 (EIP-1559) without access list; `to` None deploys `data`."""

    chain_id: int
    nonce: int
    tip_wei: int
    max_fee_wei: int
    gas: int
    to: bytes | None
    value_wei: int
    data: bytes

    def fields(self) -> list[rlp.RlpSource]:
        """The RLP fields that are signed, in order."""
        numbers = (self.chain_id, self.nonce, self.tip_wei, self.max_fee_wei, self.gas)
        encoded: list[rlp.RlpSource] = [rlp.encode_integer(number) for number in numbers]
        return [*encoded, self.to or b"", rlp.encode_integer(self.value_wei), self.data, []]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedTransaction:
    """The bytes to be sent, and the hash under which the receipt will be found."""

    raw: bytes
    hash: bytes
    nonce: int
