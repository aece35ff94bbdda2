"""`verify` with contexts that are supplied as files: by option, by map, or not at all."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fakes.awards import award
from fakes.whole_registry import trust_document
from testamur.node.cli.quick_start import VerifyOptions
from testamur.node.cli.verifying import run_verify
from testamur.node.errors import ConfigError
from testamur.registry.canonical import canonicalize
from testamur.registry.documents import Documents
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.proofs import sign_document

URL = "https://rooms.example/v1"
CONTEXT = b'{"@context": {"room": "https://rooms.example/#room"}}'
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    key = SigningKey.from_seed(Algorithm.ED25519, bytes(range(32)))
    public = key.public_key.to_multikey()
    document = award()
    document["issuer"]["id"] = f"did:key:{public}"
    document["@context"].append(URL)
    document["room"] = "B 12"
    signed = sign_document(
        document,
        key,
        verification_method=f"did:key:{public}#{public}",
        created="2026-11-20T00:00:00Z",
        cryptosuite="eddsa-rdfc-2022",
        contexts=Documents({URL: CONTEXT}),
    )
    (tmp_path / "award.json").write_bytes(canonicalize(signed))
    (tmp_path / "trust.json").write_bytes(canonicalize(trust_document()))
    (tmp_path / "rooms.jsonld").write_bytes(CONTEXT)
    (tmp_path / "map.json").write_text(json.dumps({URL: "rooms.jsonld"}))
    return tmp_path


def proof_check(folder, capsys, **options):
    run_verify(
        VerifyOptions(
            files=(folder / "award.json",), trust=folder / "trust.json", offline=True, json=True, **options
        ),
        now=NOW,
    )
    verdict = json.loads(capsys.readouterr().out)
    (check,) = [check for check in verdict["checks"] if check["step"] == 3]
    return check["result"], check["reason"]


def test_without_its_context_a_proof_is_unknown(folder, capsys):
    assert proof_check(folder, capsys) == ("unknown", "context-unknown")


def test_a_context_file_or_a_map_makes_it_known(folder, capsys):
    pair = f"{URL}={folder / 'rooms.jsonld'}"
    assert proof_check(folder, capsys, context_file=(pair,)) == ("pass", "proof-verified")
    assert proof_check(folder, capsys, documents=folder / "map.json") == ("pass", "proof-verified")


def test_a_map_that_is_not_there_is_a_usage_error(folder, capsys):
    with pytest.raises(ConfigError, match="cannot be read"):
        proof_check(folder, capsys, documents=Path("/nowhere/map.json"))
