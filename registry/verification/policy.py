"""What a verifier demands. The default wants both roads, the chain and the witnesses."""

from dataclasses import dataclass
from datetime import timedelta

from testamur.registry.canonical import parse_json
from testamur.registry.errors import MalformedError
from testamur.registry.shapes import Shape

DEFAULT_MAX_STATUS_AGE = timedelta(days=30)
"""How old the newest proven status may be before "not revoked" is no longer said of *now*."""

MAX_POLICY_BYTES = 16_384
"""A policy has five members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which unknowns are tolerated. A failed check is never tolerated, whatever the policy.

    `require_anchor`, `require_witnesses`: whether *unknown* in steps 6 and 5 makes the outcome
    indeterminate. Without an anchor the issuer's admission is vouched for by the mirrors alone, so
    dropping one road makes the other one indispensable: dropping both is refused.
    `strict_profile`: whether warnings of step 2 are failures.
    """

    require_anchor: bool = True
    require_witnesses: bool = True
    strict_profile: bool = False
    max_status_age: timedelta = DEFAULT_MAX_STATUS_AGE

    def __post_init__(self) -> None:
        if not (self.require_anchor or self.require_witnesses):
            raise ValueError("a policy must require the anchor, the witnesses, or both")


DEFAULT_POLICY = Policy()


def parse_policy_file(data: bytes) -> Policy:
    """A policy from its JSON file; every member is optional. Raises MalformedError."""
    shape = Shape(parse_json(data, subject="policy", max_bytes=MAX_POLICY_BYTES), "policy")
    shape.expect("type", "TestamurPolicy")
    shape.expect("version", 1)
    days = shape.integer("maxStatusAgeDays", maximum=36_500) if shape.has("maxStatusAgeDays") else None
    require_anchor = shape.flag("requireAnchor", default=True)
    require_witnesses = shape.flag("requireWitnesses", default=True)
    if not (require_anchor or require_witnesses):
        raise MalformedError("policy", "must require the anchor, the witnesses, or both")
    policy = Policy(
        require_anchor=require_anchor,
        require_witnesses=require_witnesses,
        strict_profile=shape.flag("strictProfile"),
        max_status_age=DEFAULT_MAX_STATUS_AGE if days is None else timedelta(days=days),
    )
    shape.refuse_unknown()
    return policy
