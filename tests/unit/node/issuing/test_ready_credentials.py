"""Ready credentials: folders, JSON and NDJSON; signed here or already; nothing twice, and every bad one named."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from fakes.issuers import DID, NOW, MemoryHost, RepeatableRandom, copy_workspace, signing_key
from testamur.node.errors import ConfigError, PeerUnreachable
from testamur.node.issuing import planning
from testamur.node.issuing.batch import JobReport, issue
from testamur.node.issuing.rejects import RowsRejected
from testamur.node.issuing.status_changes import StatusChange, change_status
from testamur.node.issuing.workspace import issuing_method
from testamur.registry.credentials import credential_digest
from testamur.registry.dossiers import parse_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.proofs import proofs_of, sign_document, verify_document_proof

KEY = signing_key(1)
CONTEXTS = [
    "https://www.w3.org/ns/credentials/v2",
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
]


def credential(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "@context": CONTEXTS,
        "type": ["VerifiableCredential", "AchievementCredential"],
        "name": "Data Literacy",
        "credentialSubject": {
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": ["IdentityObject"],
                    "hashed": False,
                    "identityHash": f"Learner {number}",
                    "identityType": "name",
                }
            ],
            "achievement": {
                "id": "https://ada.example/dl",
                "type": ["Achievement"],
                "name": "Data Literacy",
                "description": "Reading data.",
                "criteria": {"narrative": "An examination."},
            },
        },
        **changes,
    }


def urn(number: int) -> str:
    return f"urn:uuid:00000000-0000-4000-8000-{number:012x}"


class Office:
    """A workspace with its host, and an output folder."""

    def __init__(self, folder: Path) -> None:
        self.workspace = copy_workspace(folder / "ada")
        self.host = MemoryHost(self.workspace.publication())
        self.folder = folder

    def issue(self, source: Path, out: str = "out", **options: Any) -> JobReport:
        return issue(
            self.workspace,
            table_path=source,
            template=None,
            folder=self.folder / out,
            key=options.pop("key", KEY),
            port=options.pop("port", self.host),
            now=NOW,
            random_bytes=RepeatableRandom(out),
            **options,
        )

    def lines(self, *documents: Any, name: str = "class.ndjson") -> Path:
        path = self.folder / name
        path.write_text("".join(json.dumps(item) + "\n" for item in documents), "utf-8")
        return path

    def signed(self, number: int, **changes: Any) -> dict[str, Any]:
        document = credential(number, id=urn(number), issuer=DID, validFrom="2026-01-01T00:00:00Z", **changes)
        method = issuing_method(self.workspace.settings, KEY)
        return sign_document(document, KEY, verification_method=method, created="2026-01-01T00:00:00Z")

    def dossiers(self, out: str = "out") -> dict[str, dict[str, Any]]:
        return {
            path.name: parse_dossier(path.read_bytes())[0]
            for path in sorted((self.folder / out).glob("*.credential.json"))
        }


@pytest.fixture
def office(tmp_path: Path):
    made = Office(tmp_path)
    yield made
    made.workspace.close()


# -- what becomes of good ones


def test_an_unsigned_credential_gets_what_is_missing_and_a_proof(office):
    report = office.issue(office.lines(credential(1), credential(2, id=urn(2))))
    assert (report.rows, report.signed, report.logged) == (2, 2, 2)
    first, second = office.dossiers().values()
    assert {first["id"], second["id"]} > {urn(2)}
    for document in (first, second):
        (proof,) = proofs_of(document)
        verify_document_proof(document, proof, KEY.public_key)
        assert document["issuer"]["id"] == DID
        assert document["validFrom"] == "2026-11-21T10:00:00Z"
        assert len(document["credentialStatus"]) == 2
        assert credential_digest(document) in office.host.leaves


def test_a_signed_credential_is_logged_as_it_is(office):
    document = office.signed(7)
    office.issue(office.lines(document))
    assert list(office.dossiers().values()) == [document]
    assert credential_digest(document) in office.host.leaves


def test_the_status_of_a_credential_signed_elsewhere_is_not_in_our_lists(office):
    document = office.signed(7)
    office.issue(office.lines(document))
    change = StatusChange(digest=credential_digest(document), purpose="revocation", value=True)
    with pytest.raises(ConfigError, match="signed elsewhere"):
        change_status(office.workspace, [change], key=KEY, port=office.host, now=NOW)
    assert office.issue(office.lines(credential(9), name="later.ndjson"), out="later").signed == 1


@pytest.mark.parametrize("kind", ["folder", "list", "single", "dossier"])
def test_folders_and_json_files_are_taken_as_well(office, kind):
    source = office.folder / "in.json"
    if kind == "folder":
        source = office.folder / "in"
        (source / "more").mkdir(parents=True)
        (source / "a.json").write_text(json.dumps(credential(1)))
        (source / "more" / "b.credential.json").write_text(json.dumps(credential(2)))
        (source / "photo.png").write_bytes(b"x")
    elif kind == "list":
        source.write_text(json.dumps([credential(1), credential(2)]))
    elif kind == "single":
        source.write_text(json.dumps(credential(1)))
    else:
        source.write_text(json.dumps({"credential": credential(1), "evidence": None}))
    report = office.issue(source)
    assert report.logged == (2 if kind in {"folder", "list"} else 1)
    if kind == "folder":
        assert list(office.dossiers()) == ["a.credential.json", "more-b.credential.json"]


def test_dossiers_are_for_their_owner_alone(office):
    office.issue(office.lines(credential(1)))
    assert [path.stat().st_mode & 0o777 for path in (office.folder / "out").iterdir()] == [0o600]


# -- again, and after a crash


def test_what_is_logged_already_is_named_and_no_error(office):
    office.issue(office.lines(credential(1), office.signed(7)))
    issued = list(office.dossiers().values())
    report = office.issue(office.lines(*issued, credential(3), name="again.ndjson"), out="again")
    assert (report.rows, report.planning.known_before, report.planning.rejected) == (1, 2, 0)
    assert all("is issued already, as entry" in warning for warning in report.planning.warnings)
    assert len(office.host.leaves) == 3


def test_an_id_that_was_issued_is_not_issued_again_for_something_else(office):
    office.issue(office.lines(credential(1, id=urn(1))))
    with pytest.raises(RowsRejected, match="its id was issued before"):
        office.issue(office.lines(credential(2, id=urn(1)), name="again.ndjson"), out="again")


def test_a_job_that_was_broken_off_goes_on_and_logs_nothing_twice(office, monkeypatch):
    monkeypatch.setattr(planning, "CHUNK_ROWS", 3)
    monkeypatch.setattr("testamur.node.issuing.batch.CHUNK_ROWS", 3)
    source = office.lines(*(credential(n) for n in range(5)), *(office.signed(n) for n in range(10, 15)))
    office.host.fail_submit_after, office.host.lose_answer = 1, True
    with pytest.raises(PeerUnreachable):
        office.issue(source)
    office.host.fail_submit_after = None
    report = office.issue(source)
    assert (report.rows, report.resumed) == (10, True)
    assert len(office.host.leaves) == 10
    assert {credential_digest(item) for item in office.dossiers().values()} == set(office.host.leaves)


def test_a_complete_job_needs_neither_key_nor_host(office):
    source = office.lines(credential(1))
    office.issue(source)

    def no_key():
        raise AssertionError("asked for a passphrase")

    assert office.issue(source, key=no_key, port=None).already_complete
    assert office.issue(office.lines(credential(2), name="dry.ndjson"), key=no_key, dry_run=True).rows == 1


# -- bad ones


BAD = {
    "duplicate": '{"@context": [], "@context": []}',
    "nan": '{"@context": [NaN]}',
    "deep": "[" * 5000,
    "text": "hello",
    "list": "[]",
    "evidence": '{"type": "TestamurEvidence"}',
    "foreign": json.dumps(credential(1, issuer="did:web:other.example")),
    "status": json.dumps(credential(1, credentialStatus=[])),
    "term": json.dumps(credential(1, undefinedTerm=1)),
    "time": json.dumps(credential(1, validFrom="2020")),
    "context": json.dumps(credential(1, **{"@context": [*CONTEXTS, "https://unknown.example/v1"]})),
    "id": json.dumps(credential(1, id="https://ada.example/1")),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_one_is_named_by_its_line_and_nothing_is_signed(office, name):
    path = office.folder / "class.ndjson"
    path.write_text(f"{json.dumps(credential(5))}\n\n{BAD[name]}\n", "utf-8")
    with pytest.raises(RowsRejected) as caught:
        office.issue(path)
    assert caught.value.subject == "class.ndjson, line 3"
    assert (office.dossiers(), office.host.submissions) == ({}, [])


def test_a_file_that_is_written_anew_after_the_check_is_checked_again_before_it_is_signed(office):
    source = office.folder / "in"
    source.mkdir()
    for number in range(2):
        (source / f"{number}.json").write_text(json.dumps(credential(number)))

    def progress(stage, _done, _all):
        if stage == "check":
            changed = credential(1, validFrom="not a date", undefinedTerm=1)
            (source / "1.json").write_text(json.dumps(changed))

    with pytest.raises(MalformedError, match=r"1\.json"):
        office.issue(source, progress=progress)
    assert "1.credential.json" not in office.dossiers()


def test_bad_ones_are_left_out_when_asked_and_listed(office):
    path = office.folder / "class.ndjson"
    path.write_text("\n".join([json.dumps(credential(5)), *BAD.values(), json.dumps(credential(6))]), "utf-8")
    rejects = office.folder / "rejects.ndjson"
    report = office.issue(path, leave_out_bad=True, rejects_path=rejects)
    assert (report.rows, report.logged, report.planning.rejected) == (2, 2, len(BAD))
    rows = [json.loads(line) for line in rejects.read_text("utf-8").splitlines()]
    assert sorted(row["line"] for row in rows) == list(range(2, 2 + len(BAD)))
    assert rejects.stat().st_mode & 0o077 == 0


def test_a_signature_that_is_not_ours_or_not_true_is_refused(office):
    tampered = office.signed(1)
    tampered["name"] = "Doctor of Everything"
    stranger = credential(2, id=urn(2), issuer=DID, validFrom="2026-01-01T00:00:00Z")
    method = issuing_method(office.workspace.settings, signing_key(9))
    stranger = sign_document(stranger, signing_key(9), verification_method=method)
    for document, words in ((tampered, "signature does not match"), (stranger, "no proof by a key of")):
        with pytest.raises(RowsRejected, match=words):
            office.issue(office.lines(document))
    assert office.host.submissions == []


def test_a_signed_one_may_not_take_a_place_in_our_lists_that_it_was_not_given(office):
    entry = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "5",
        "statusListCredential": "https://status.ada.example/ada/revocation/1",
    }
    with pytest.raises(RowsRejected, match="did not give away"):
        office.issue(office.lines(office.signed(1, credentialStatus=[entry])))


def test_a_line_without_end_is_one_bad_line_in_bounded_memory(office):
    path = office.folder / "big.ndjson"
    with path.open("wb") as file:
        file.write(b'{"a":"')
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n' + json.dumps(credential(1)).encode() + b"\n")
    tracemalloc.start()
    report = office.issue(path, leave_out_bad=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (report.rows, report.planning.rejected) == (1, 1)
    assert peak < 24 << 20


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.ndjson", b"", "is empty"),
        ("empty.json", b"[]", "is an empty list"),
        ("class.csv", b"a,b\n", "needs --template"),
        ("none.json", None, "there is no such file"),
    ],
)
def test_an_input_without_credentials_is_refused_in_words(office, name, content, words):
    path = office.folder / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises((ConfigError, MalformedError), match=words):
        office.issue(path)


def test_a_json_file_too_large_to_be_read_whole_says_what_to_do(office):
    path = office.folder / "big.json"
    with path.open("wb") as file:
        file.truncate(100 << 20)
    with pytest.raises(MalformedError, match="write NDJSON"):
        office.issue(path)


# -- memory


class ForgetfulHost(MemoryHost):
    """Keeps nothing, so that what grows is ours."""

    def submit(self, slug, digests):
        return [(digest, 4) for digest in digests]


def peak_of(folder: Path, rows: int) -> int:
    office = Office(folder)
    office.host = ForgetfulHost(office.workspace.publication())
    source = office.lines(*(credential(n) for n in range(rows)))
    office.issue(office.lines(credential(0), name="warm.ndjson"), out="warm")
    tracemalloc.start()
    office.issue(source)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    office.workspace.close()
    return peak


def test_memory_does_not_grow_with_the_input(tmp_path, monkeypatch):
    monkeypatch.setattr(planning, "CHUNK_ROWS", 50)
    monkeypatch.setattr("testamur.node.issuing.batch.CHUNK_ROWS", 50)
    small, large = (tmp_path / name for name in ("small", "large"))
    small.mkdir()
    large.mkdir()
    assert peak_of(large, 600) < peak_of(small, 60) + (1 << 20)
