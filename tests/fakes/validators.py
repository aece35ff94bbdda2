"""Validators of a QBFT chain with known keys: they put their list and their seals into headers."""

from coincurve import PrivateKey

from testamur.registry.evm import rlp
from testamur.registry.evm.headers import field_position, parse_header
from testamur.registry.evm.qbft import MIX_HASH, QbftSeals, commit_hash
from testamur.registry.hashing import keccak256

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


class Validator:
    """One validator by number; the same number has the same key."""

    def __init__(self, number):
        self.key = PrivateKey(keccak256(b"validator %d" % number))
        self.address = keccak256(self.key.public_key.format(compressed=False)[1:])[12:]

    def seal(self, header, round_number=0):
        return self.key.sign_recoverable(commit_hash(header, round_number), hasher=None)


def validators(count, first=0):
    return [Validator(number) for number in range(first, first + count)]


def extra_data(listed, *, round_number=0, seals=(), vote=()):
    """Extra data of a header; what the block hash covers has round 0 and no seals."""
    addresses = [validator.address for validator in listed]
    return rlp.encode([bytes(32), addresses, list(vote), rlp.encode_integer(round_number), list(seals)])


def as_qbft(header_data, listed, **extra):
    """The header as a QBFT chain has it."""
    fields = rlp.decode_list(header_data)
    fields[field_position("extraData")] = extra_data(listed, **extra)
    fields[field_position("mixHash")] = MIX_HASH
    return rlp.encode(fields)


def sealed_by(sealers, header_data, round_number=0):
    header = parse_header(header_data)
    return QbftSeals(
        round=round_number, seals=tuple(validator.seal(header, round_number) for validator in sealers)
    )


def malleated(seal):
    """The other signature of the same key over the same hash: s mirrored, the recovery id flipped."""
    s = ORDER - int.from_bytes(seal[32:64])
    return seal[:32] + s.to_bytes(32) + bytes([seal[64] ^ 1])
