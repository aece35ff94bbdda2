"""Step 8: the issuer. Whom the contract admitted, with which keys, and how it stands."""

from testamur.registry.admissions import Admission
from testamur.registry.canonical import Json
from testamur.registry.entries import parse_origin
from testamur.registry.errors import VerificationError
from testamur.registry.evm.anchors import ProvenAnchor
from testamur.registry.evm.layout import Lifecycle
from testamur.registry.issuer_keys import IssuerKeys
from testamur.registry.policies import NO_QUORUM
from testamur.registry.verification.context import Context, Passed, Undecided


def issuer(context: Context) -> Passed:
    """Step 8. The issuer was admitted with this DID and these keys, and was not suspended at the entry.

    The admission document is rebuilt from the log's origin, the DID and the first key event, and its digest
    compared with the contract's. What the chain says of an issuer's life outranks what documents say.
    """
    entry, _ = context.need_entry()
    keys = context.need_keys()
    parameters: dict[str, str | int] = {"issuer": keys.issuer[:200]}
    anchor = admitted(context)
    if anchor is None:
        return Passed(reason="issuer-vouched-by-mirrors", parameters=parameters)
    if anchor.log.good_size is not None and entry.proof.index >= anchor.log.good_size:
        raise VerificationError("entry-after-epoch", index=entry.proof.index, good=anchor.log.good_size)
    if anchor.find_suspension(entry.proof.index) is not None:
        raise VerificationError("issuer-suspended", index=entry.proof.index)
    facts: dict[str, Json] = {"issuer": keys.issuer, "lifecycle": anchor.issuer.lifecycle.name.lower()}
    if anchor.issuer.lifecycle == Lifecycle.CLOSED:
        context.final = True
        facts["custodian"] = "0x" + anchor.issuer.custodian.hex() if anchor.issuer.custodian else None
        return Passed(reason="issuer-closed", parameters=parameters, facts=facts)
    if anchor.issuer.lifecycle == Lifecycle.SUSPENDED:
        return Passed(reason="issuer-suspended-since", parameters=parameters, facts=facts)
    if anchor.issuer.lifecycle != Lifecycle.ACTIVE:
        raise VerificationError("issuer-not-admitted", issuer=keys.issuer)
    return Passed(reason="issuer-active", parameters=parameters, facts=facts)


def admitted(context: Context) -> ProvenAnchor | None:
    """What the contract holds of an issuer that it admitted with this DID and these keys.

    None where the policy asks for no anchor, and mirrors vouch for the issuer.
    """
    keys, anchor = context.need_keys(), context.proven
    if anchor is None:
        if not context.policy.require_anchor and _mirrors_vouch(context):
            return None
        raise Undecided("not-established", step=6)
    origin = parse_origin(context.need_log().origin)
    admission = Admission(
        registry=origin.registry, slug=origin.slug, did=keys.issuer, first_key_event=keys.first_digest
    )
    if admission.digest != anchor.issuer.identity:
        raise VerificationError("admission-mismatch", issuer=keys.issuer[:200])
    bound_keys(context)
    return anchor


def bound_keys(context: Context) -> IssuerKeys:
    """The issuer's keys, each chain of the council's in force from where the contract says that it begins.

    Without the contract's word nobody can tell from where on: undecided, unless there is one chain alone.
    """
    keys, anchor = context.need_keys(), context.proven
    if anchor is None:
        if len(keys.chains) > 1:
            raise Undecided("not-established", step=6)
        return keys
    try:
        return keys.bind(anchor.key_chains)
    except VerificationError as error:
        if error.reason == "key-chain-missing":
            # The contract knows of a recovery, and the issuer has said nothing since.
            raise Undecided(error.reason, **error.parameters) from error
        raise


def _mirrors_vouch(context: Context) -> bool:
    """Whether a quorum of mirrors signed, and the trust file asks for one.

    Mirrors have checked whose log it is; witnesses look at consistency alone, and cosign a stranger's too.
    """
    asked = context.trust is not None and context.trust.mirror_policy.quorum != NO_QUORUM
    return asked and context.witnessed is not None and context.witnessed.quorum
