"""Challenges that need no memory until they are answered, and are good once.

A challenge carries when it ends, and a code that only this process can make: giving one away costs nothing,
however many are asked for. What is remembered is which ones were answered, until they would have ended.
A restart ends all of them.
"""

import hmac
import secrets
from collections import OrderedDict
from datetime import UTC, datetime, timedelta

from testamur.node.api.ports import NotReady
from testamur.registry.errors import MalformedError, VerificationError
from testamur.registry.multiformats import decode_multibase, encode_multibase
from testamur.registry.timestamps import format_timestamp

CHALLENGE_LIFETIME = timedelta(minutes=10)
"""Time to unlock a wallet and find the right file; a challenge that lies about is one that can be stolen."""

MAX_ANSWERED = 50_000
"""Answers within one lifetime that are remembered, some 10 MB; eighty in a second."""

SECRET_BYTES = 32
RANDOM_BYTES = 16
CODE_BYTES = 16
_LENGTH = RANDOM_BYTES + 8 + CODE_BYTES


class Challenges:
    """The challenges of one process. Not for several threads at once."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(SECRET_BYTES)
        self._answered: OrderedDict[str, datetime] = OrderedDict()

    def give(self, domain: str, now: datetime) -> tuple[str, datetime]:
        """(challenge, when it ends). It can be answered for this domain only."""
        ends = now.replace(microsecond=0) + CHALLENGE_LIFETIME
        body = secrets.token_bytes(RANDOM_BYTES) + int(ends.timestamp()).to_bytes(8, "big")
        return encode_multibase("u", body + self._code(body, domain)), ends

    def check(self, challenge: str, domain: str, now: datetime) -> None:
        """It could be used up now; nothing changes.

        Raises VerificationError: challenge-unknown, challenge-expired, challenge-used.
        """
        ends = self._ends(challenge, domain)
        if now > ends:
            raise VerificationError("challenge-expired", date=format_timestamp(ends))
        if challenge in self._answered:
            raise VerificationError("challenge-used")

    def take(self, challenge: str, domain: str, now: datetime) -> None:
        """Use it up.

        Raises what `check` raises, and NotReady when more answers came than are remembered: forgetting one
        would let it be used again.
        """
        self.check(challenge, domain, now)
        self._forget(now)
        if len(self._answered) >= MAX_ANSWERED:
            raise NotReady("too many challenges were answered within ten minutes", retry_after_seconds=60)
        self._answered[challenge] = now + CHALLENGE_LIFETIME

    def _ends(self, challenge: str, domain: str) -> datetime:
        try:
            data = decode_multibase(challenge, subject="challenge", allowed="u")
        except MalformedError:
            data = b""
        body, code = data[:-CODE_BYTES], data[-CODE_BYTES:]
        is_ours = len(data) == _LENGTH and hmac.compare_digest(code, self._code(body, domain))
        if not is_ours or encode_multibase("u", data) != challenge:
            raise VerificationError("challenge-unknown", domain=domain[:200])
        return datetime.fromtimestamp(int.from_bytes(body[RANDOM_BYTES:], "big"), UTC)

    def _forget(self, now: datetime) -> None:
        """Answers are in the order of their time: from here on, none has ended."""
        while self._answered and next(iter(self._answered.values())) < now:
            self._answered.popitem(last=False)

    def _code(self, body: bytes, domain: str) -> bytes:
        return hmac.digest(self._secret, body + domain.encode("utf-8", "surrogatepass"), "sha256")[
            :CODE_BYTES
        ]
