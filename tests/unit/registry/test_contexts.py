import json
from importlib import resources
from pathlib import Path

import pytest

from testamur.registry import contexts
from testamur.registry.canonical import digest

OURS = (contexts.MICRO_CREDENTIAL_V1, contexts.JOINT_AWARD_V1)


@pytest.mark.parametrize("url", sorted(contexts.BUNDLED))
def test_every_bundled_context_is_the_pinned_one(url: str) -> None:
    document = contexts.find_context(url)
    assert document is not None
    assert digest(document).hex() == contexts.BUNDLED[url][1]
    assert "@context" in document


def test_an_unknown_context_is_not_found() -> None:
    assert contexts.find_context("https://w3id.org/unknown/v1") is None


def test_the_table_names_every_file_and_no_other() -> None:
    files = {item.name for item in resources.files(contexts).iterdir() if item.name.endswith(".jsonld")}
    assert files == {name for name, _ in contexts.BUNDLED.values()}


def test_a_damaged_installation_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    url = contexts.CREDENTIALS_V2
    monkeypatch.setattr(contexts, "BUNDLED", {url: (contexts.BUNDLED[url][0], "00" * 32)})
    contexts.find_context.cache_clear()
    with pytest.raises(ValueError, match="reinstall"):
        contexts.find_context(url)
    contexts.find_context.cache_clear()


def test_the_pins_are_those_of_the_published_contexts(vectors: Path) -> None:
    published = json.loads((vectors / "contexts.json").read_bytes())
    ours = {url: pin for url, (_, pin) in contexts.BUNDLED.items() if url not in OURS}
    assert ours == {url: published[url]["jcs_sha256"] for url in ours}


def test_our_own_terms_cannot_be_redefined_by_others() -> None:
    document = contexts.find_context(contexts.MICRO_CREDENTIAL_V1)
    assert document is not None
    definition = document["@context"]
    assert isinstance(definition, dict)
    assert definition["@protected"] is True
    for name in ("MicroCredential", "QualityAssurance", "Stackability"):
        scoped = definition[name]["@context"]  # type: ignore[index,call-overload]
        assert scoped["@protected"] is True  # type: ignore[index,call-overload]
