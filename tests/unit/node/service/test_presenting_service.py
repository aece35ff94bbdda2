"""A node judges a presentation once for each challenge that it gave."""

import asyncio
from types import SimpleNamespace

import pytest

from fakes.holders import DID, KEY, OTHER_KEY, bound_to, presented
from fakes.whole_registry import NOW, trust
from testamur.node.api.ports import NotReady
from testamur.node.service.presenting import Presenting
from testamur.node.service.workers import Workers
from testamur.registry.documents import Documents
from testamur.registry.entries import parse_origin
from testamur.registry.errors import MalformedError

WORLD = bound_to(DID)


async def nothing_served(_digest, *, newest=False):
    return None


def a_newer_statement():
    """The hosting of a log whose issuer has stated more than the evidence shows."""
    (origin,) = WORLD.evidence()["logs"]
    published = SimpleNamespace(statement=SimpleNamespace(sequence=99))
    log = SimpleNamespace(origin=parse_origin(origin), publications=SimpleNamespace(newest=lambda: published))
    return SimpleNamespace(log=log)


@pytest.fixture
def node():
    workers = Workers("test")
    yield SimpleNamespace(
        config=SimpleNamespace(public_url="https://node.example:8443", host="127.0.0.1"),
        clock=lambda: NOW,
        workers=workers,
        supplied=Documents({}),
        trust=trust(),
        hostings={},
    )
    workers.close()


@pytest.fixture
def presenting(node):
    return Presenting(node, nothing_served)


def answer(given, key=KEY, **options):
    made = presented([WORLD], [key], **{"challenge": given.challenge, "domain": given.domain, **options})
    return {
        "type": "TestamurPresentation",
        "version": 1,
        "presentation": made,
        "evidence": [WORLD.evidence()],
    }


def step(verdict):
    return verdict["credentials"][0]["checks"][10]["reason"]


async def test_an_answer_counts_once(presenting):
    given = await presenting.challenge(None)
    assert given.domain == "node.example"
    verdict = await presenting.present(answer(given), None, None)
    assert (verdict["outcome"], step(verdict)) == ("valid", "holder-proven")
    again = await presenting.present(answer(given), None, None)
    assert (again["outcome"], step(again)) == ("invalid", "challenge-used")


async def test_whoever_cannot_answer_does_not_use_it_up(presenting):
    given = await presenting.challenge("employer.example")
    broken = answer(given)
    broken["presentation"]["proof"]["created"] = "2026-11-21T10:00:01Z"
    refused = await presenting.present(broken, None, None)
    assert step(refused) == "signature-invalid"
    stolen = await presenting.present(answer(given, OTHER_KEY), None, None)
    assert step(stolen) == "holder-mismatch"
    assert step(await presenting.present(answer(given), None, None)) == "challenge-used"


@pytest.mark.parametrize("evidence", [{}, [], "evidence", 7, {"type": "TestamurEvidence", "version": 1}])
async def test_malformed_evidence_is_refused_and_the_challenge_is_still_good(presenting, evidence):
    given = await presenting.challenge(None)
    broken = {**answer(given), "evidence": [evidence]}
    with pytest.raises(MalformedError):
        await presenting.present(broken, None, None)
    assert step(await presenting.present(answer(given), None, None)) == "holder-proven"
    assert step(await presenting.present(answer(given), None, None)) == "challenge-used"
    assert step(await presenting.present({**broken, "evidence": [None]}, None, None)) == "challenge-used"


@pytest.mark.parametrize("step_number", [1, 2, 3])
async def test_who_is_told_to_ask_again_may_answer_again(presenting, node, step_number):
    node.hostings["ada"] = a_newer_statement()
    given = await presenting.challenge(None)
    run, asked = node.workers.run, []

    async def full(function, *arguments, **options):
        asked.append(function)
        if len(asked) == step_number:
            raise NotReady("too many verifications wait already")
        return await run(function, *arguments, **options)

    node.workers = SimpleNamespace(run=full)
    with pytest.raises(NotReady):
        await presenting.present(answer(given), None, None)
    node.workers = SimpleNamespace(run=run)
    assert step(await presenting.present(answer(given), None, None)) == "holder-proven"


async def test_of_many_answers_at_once_one_counts(presenting):
    given = await presenting.challenge("employer.example")
    verdicts = await asyncio.gather(*(presenting.present(answer(given), None, None) for _ in range(6)))
    reasons = [step(verdict) for verdict in verdicts]
    assert sorted(reasons) == ["challenge-used"] * 5 + ["holder-proven"]
    assert [verdict["outcome"] for verdict in verdicts].count("valid") == 1


async def test_a_challenge_that_was_not_given_or_for_another_domain_is_none(presenting):
    given = await presenting.challenge("employer.example")
    for options in ({"challenge": "made up"}, {"domain": "other.example"}):
        verdict = await presenting.present(answer(given, **options), None, None)
        assert step(verdict) == "challenge-unknown"
    assert step(await presenting.present(answer(given), None, "employer.example")) == "holder-proven"


async def test_an_employer_may_bring_a_challenge_of_its_own(presenting):
    given = SimpleNamespace(challenge="mine", domain="employer.example")
    for challenge, domain, reason in (
        ("mine", "employer.example", "holder-proven"),
        ("mine", "other.example", "proof-domain-mismatch"),
        ("yours", None, "proof-challenge-mismatch"),
    ):
        assert step(await presenting.present(answer(given), challenge, domain)) == reason


async def test_what_is_no_presentation_is_malformed(presenting):
    for document in ({}, WORLD.dossier(), {"type": "TestamurPresentation"}):
        with pytest.raises(MalformedError):
            await presenting.present(document, None, None)
