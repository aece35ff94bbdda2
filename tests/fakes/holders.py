"""A learner with a key, a credential that names it, and presentations honest or not."""

import copy
from datetime import timedelta

from fakes.awards import award
from fakes.issuers import signing_key
from fakes.whole_registry import NOW, World, trust
from testamur.registry.canonical import canonicalize
from testamur.registry.dids import did_key
from testamur.registry.presentation_files import encode_presentation_file
from testamur.registry.presentation_verdicts import verify_presentation_file
from testamur.registry.presentations import make_presentation
from testamur.registry.verification import Step

KEY, OTHER_KEY = signing_key(77), signing_key(78)
DID, OTHER_DID = did_key(KEY.public_key), did_key(OTHER_KEY.public_key)
CHALLENGE, DOMAIN = "a random challenge", "employer.example"


def bound_to(*dids, **changes):
    """A registry in which the credential names these holders: none, one, or several."""
    made = award()
    subject = made["credentialSubject"]
    subject.pop("id", None)
    subjects = [{**copy.deepcopy(subject), "id": did} for did in dids]
    made["credentialSubject"] = subject if not dids else subjects[0] if len(dids) == 1 else subjects
    return World(award=made, **changes)


def presented(worlds, keys=(KEY,), **options):
    """A presentation of the worlds' credentials."""
    options = {
        "challenge": CHALLENGE,
        "domain": DOMAIN,
        "created": NOW,
        "expires": NOW + timedelta(minutes=15),
        **options,
    }
    return make_presentation([world.credential for world in worlds], list(keys), **options)


def file_of(worlds, keys=(KEY,), **options):
    """The file with evidence."""
    return encode_presentation_file(
        presented(worlds, keys, **options), [world.evidence() for world in worlds]
    )


def judge_file(data, **options):
    """The verdict of a verifier who gave this challenge for this domain, unless told otherwise."""
    if not isinstance(data, bytes):
        data = canonicalize(data)
    options = {"trust": trust(), "now": NOW, "challenge": CHALLENGE, "domain": DOMAIN, **options}
    return verify_presentation_file(data, **options)


def holding(verdict, number=0):
    """(result, reason) of step 11 of one credential."""
    check = verdict.verdicts[number].check(Step.HOLDER_BINDING)
    return str(check.result), check.reason
