"""`verify --rpc`: what the user's own endpoints say of the chain, whatever the file makes them be asked."""

import pytest

from fakes.chain_state import CONTRACT, RegistryState, pack
from fakes.whole_registry import NOW, World, trust
from testamur.node.cli.verifying import Verifier
from testamur.node.fetch import rpc
from testamur.registry.canonical import canonicalize
from testamur.registry.evm.headers import parse_header
from testamur.registry.evm.slots import ISSUER_WORD
from testamur.registry.verification import DEFAULT_POLICY, Outcome, Step

WORLD = World()
ELSEWHERE = bytes.fromhex("ee" * 20)


class Endpoint:
    """An endpoint on the very chain of the evidence; in the real contract the issuer has `statement`."""

    statement = 1
    word: int | None = None

    def __init__(self, url):
        self.url = url

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        pass

    def call(self, method, params):
        assert method == "eth_chainId"
        return hex(WORLD.chain().chain_id)

    def block_hash(self, block):
        state = WORLD.chain()
        if block == 0:
            return 0, state.genesis_hash
        return state.number, parse_header(state.header()).hash

    def storage_word(self, contract, slot):
        if contract != CONTRACT:
            return 0
        return self.word if self.word is not None else pack(ISSUER_WORD, statement=self.statement)


@pytest.fixture(autouse=True)
def _endpoint(monkeypatch):
    monkeypatch.setattr(rpc, "RpcEndpoint", Endpoint)


def judge(dossier):
    verifier = Verifier(
        trust=trust(), policy=DEFAULT_POLICY, node_url=None, rpc_urls=("http://own",), as_of=None, now=NOW
    )
    return verifier.judge(canonicalize(dossier), None)


def with_foreign_anchor(dossier):
    """A second anchor, sound in itself, in a contract of the holder's own making."""
    state = RegistryState(contract=ELSEWHERE, neighbours=3)
    anchors = dossier["evidence"]["anchors"]
    dossier["evidence"]["anchors"] = [*anchors, state.evidence([]).to_json()]
    return dossier


def test_own_endpoints_make_the_block_final_and_know_the_newest_statement(monkeypatch):
    assert judge(WORLD.dossier()).outcome == Outcome.VALID
    monkeypatch.setattr(Endpoint, "statement", 2)
    verdict = judge(WORLD.dossier())
    assert verdict.outcome == Outcome.INDETERMINATE
    assert verdict.check(Step.STATUS).reason == "status-outdated"


def test_an_anchor_in_another_contract_does_not_hide_a_newer_statement(monkeypatch):
    """The holder of a revoked credential adds it: the endpoints know nothing of the issuer there."""
    monkeypatch.setattr(Endpoint, "statement", 2)
    verdict = judge(with_foreign_anchor(WORLD.dossier()))
    assert verdict.outcome == Outcome.INDETERMINATE
    assert verdict.check(Step.STATUS).reason == "status-outdated"


def test_an_endpoint_that_describes_the_issuer_unreadably_leaves_a_note(monkeypatch):
    monkeypatch.setattr(Endpoint, "word", 1 << 255)
    verdict = judge(WORLD.dossier())
    assert any("unreadably" in note for note in verdict.notes)
