"""cyberphone/json-canonicalization: six documents and their RFC 8785 bytes."""

from testamur.registry.canonical import canonicalize, parse_json


def test_all_6_documents_have_the_published_canonical_bytes(vectors):
    inputs = sorted((vectors / "jcs" / "input").glob("*.json"))
    assert len(inputs) == 6
    for path in inputs:
        expected = (vectors / "jcs" / "output" / path.name).read_bytes()
        canonical = canonicalize(parse_json(path.read_bytes(), subject=path.name))
        assert canonical == expected, path.name
        assert canonicalize(parse_json(canonical, subject=path.name)) == canonical, path.name
