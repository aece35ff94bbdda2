import contextlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.issuers import DID, NOW, SAMPLES, MemoryHost, RepeatableRandom, copy_workspace, signing_key
from testamur.node.errors import ConfigError, PeerMisbehaved, PeerUnreachable
from testamur.node.issuing import batch
from testamur.node.issuing.awards import dossier, salt_of, urn_of
from testamur.node.issuing.batch import JobReport, issue
from testamur.node.issuing.decks import DECK_SIZE
from testamur.node.issuing.ledger import Ledger
from testamur.node.issuing.templates import parse_template
from testamur.node.issuing.workspace import Workspace, open_workspace
from testamur.registry.canonical import canonicalize
from testamur.registry.credentials import credential_digest, parse_credential
from testamur.registry.dossiers import encode_dossier, parse_dossier
from testamur.registry.errors import MalformedError
from testamur.registry.hashing import sha256
from testamur.registry.jsonld import expand_safely
from testamur.registry.proofs import proofs_of, verify_document_proof

KEY = signing_key(1)
TEMPLATE = "data-literacy.template.json"
SAMPLE = SAMPLES / "data-literacy-2026.csv"


class Class:
    """A workspace, its host, a table and an output folder in one test's folder."""

    def __init__(self, folder: Path, table: Path = SAMPLE, template: str = TEMPLATE) -> None:
        self.home = folder / "ada"
        self.workspace: Workspace = copy_workspace(self.home)
        self.host = MemoryHost(self.workspace.publication())
        self.table = table
        self.template = template
        self.out = folder / "out"
        self.chance = RepeatableRandom("batch")

    def issue(self, **options: Any) -> JobReport:
        return issue(
            self.workspace,
            table_path=options.pop("table_path", self.table),
            template=parse_template((SAMPLES / self.template).read_bytes(), self.template),
            folder=options.pop("folder", self.out),
            key=KEY,
            port=self.host,
            now=options.pop("now", NOW),
            random_bytes=self.chance,
            **options,
        )

    def reopen(self) -> None:
        """What a new process does after the old one died."""
        self.workspace.close()
        self.workspace = open_workspace(self.home)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.out.iterdir()} if self.out.exists() else {}

    def credentials(self) -> list[dict[str, Any]]:
        return [json.loads(data)["credential"] for _, data in sorted(self.files().items())]


@pytest.fixture
def course(tmp_path: Path) -> Class:
    return Class(tmp_path)


def test_every_row_becomes_a_signed_logged_credential(course: Class) -> None:
    report = course.issue()
    assert (report.rows, report.signed, report.logged, report.already_complete) == (30, 30, 30, False)
    assert len(course.files()) == 30
    for document in course.credentials():
        credential = parse_credential(document)
        (proof,) = proofs_of(document)
        assert verify_document_proof(document, proof, KEY.public_key)["id"] == credential.id
        assert credential.issuer_id == DID
        assert credential_digest(document) in course.host.leaves
        expand_safely(document)


def test_only_digests_are_sent(course: Class) -> None:
    course.issue()
    assert all(len(digest) == 32 for digests in course.host.submissions for digest in digests)
    assert len(course.host.leaves) == 30


def test_the_table_is_in_the_credentials(course: Class) -> None:
    course.issue()
    document = json.loads(course.files()["20260002-data-literacy.credential.json"])["credential"]
    assert document["credentialSubject"]["id"].startswith("did:key:z6Mk")
    assert document["credentialSubject"]["identifier"][0]["identityHash"] == "Mateusz Kowalski"
    assert document["credentialSubject"]["creditsEarned"] == 5
    assert document["validFrom"] == document["proof"]["created"] == "2026-11-21T10:00:00Z"
    assert document["awardedDate"] == "2026-07-03T00:00:00Z"
    assert document["issuer"]["id"] == document["credentialSubject"]["achievement"]["creator"]["id"] == DID


def test_identifiers_are_random_and_status_indexes_are_shared_by_two_lists(course: Class) -> None:
    course.issue()
    credentials = [parse_credential(document) for document in course.credentials()]
    assert len({credential.id for credential in credentials}) == 30
    indexes = set()
    for credential in credentials:
        revocation, suspension = credential.status
        assert (revocation.purpose, suspension.purpose) == ("revocation", "suspension")
        assert revocation.index == suspension.index
        assert revocation.list_id == "https://status.ada.example/ada/revocation/1"
        indexes.add(revocation.index)
    assert len(indexes) == 30
    assert max(indexes) > 1000


def test_a_file_is_a_canonical_dossier_without_evidence(course: Class) -> None:
    course.issue()
    for data in course.files().values():
        credential, evidence = parse_dossier(data)
        assert evidence is None
        assert data == encode_dossier(credential, None)
        assert dossier(canonicalize(credential)) == data


def test_running_again_does_nothing_and_says_so(course: Class) -> None:
    course.issue()
    before = course.files()
    course.reopen()
    report = course.issue(now=NOW + timedelta(days=1))
    assert (report.already_complete, report.signed, report.logged) == (True, 0, 0)
    assert "is complete: nothing to do" in report.words
    assert course.files() == before
    assert len(course.host.submissions) == 1


def test_a_dry_run_leaves_nothing_behind(course: Class) -> None:
    report = course.issue(dry_run=True)
    assert (report.rows, report.signed) == (30, 0)
    assert "nothing was signed" in report.words
    assert (course.files(), course.host.submissions) == ({}, [])
    assert course.workspace.ledger.run("SELECT count(*) FROM credentials, jobs") == [(0,)]
    assert course.workspace.ledger.run("SELECT used FROM decks") == [(0,)]
    assert course.issue().signed == 30


def test_progress_is_told_by_stage(course: Class) -> None:
    told: list[tuple[str, int, int]] = []
    course.issue(progress=lambda stage, done, rows: told.append((stage, done, rows)))
    assert told == [("check", 30, 0), ("sign", 30, 30), ("log", 30, 30)]


# -- rows that are wrong are found before anything is signed


def table(folder: Path, change: Any) -> Path:
    rows = [line.split(",") for line in SAMPLE.read_text("utf-8").splitlines()[:6]]
    change(rows)
    path = folder / "class.csv"
    path.write_text("\n".join(",".join(row) for row in rows) + "\n", "utf-8")
    return path


def set_cell(line: int, column: int, value: str) -> Any:
    def change(rows: list[list[str]]) -> None:
        rows[line - 1][column] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_cell(6, 4, "five"), "class.csv, line 6: column ects is 'five'"),
        (set_cell(4, 2, "Inês"), "class.csv, line 4: column holder is 'Inês'"),
        (set_cell(3, 1, ""), "class.csv, line 3: column name is empty"),
        (set_cell(5, 0, "20260001"), "rows 1 and 4 would both be written to '20260001-data-literacy'"),
        (set_cell(1, 5, "mark"), "has no column for {{grade}} of template data-literacy.template.json"),
        (
            set_cell(6, 4, "-5"),
            "line 6, template data-literacy.template.json: credential /credentialSubject/creditsEarned",
        ),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_signed(
    course: Class, tmp_path: Path, change: Any, words: str
) -> None:
    with pytest.raises(MalformedError) as caught:
        course.issue(table_path=table(tmp_path, change))
    assert words in str(caught.value)
    assert (course.files(), course.host.submissions) == ({}, [])
    assert course.workspace.ledger.run("SELECT used FROM decks") == [(0,)]


def changed_template(folder: Path, change: Any) -> str:
    document = json.loads((SAMPLES / TEMPLATE).read_text("utf-8"))
    change(document["credential"])
    path = folder / "changed.json"
    path.write_text(json.dumps(document), "utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda it: it.update(workload=5), "'workload' is not defined by any context"),
        (lambda it: it["@context"].pop(), "'assessmentType' is not defined"),
        (lambda it: it["@context"].append("https://x.example/v1"), "https://x.example/v1 is not bundled"),
        (lambda it: it["credentialSubject"].pop("achievement"), "/credentialSubject/achievement"),
        (lambda it: it["issuer"].update(id="did:web:other.example"), "this workspace issues as did:web:ada"),
        (lambda it: it.update(validFrom="today"), "/validFrom"),
    ],
)
def test_a_template_that_makes_no_credential_is_refused_before_signing(
    course: Class, tmp_path: Path, change: Any, words: str
) -> None:
    course.template = changed_template(tmp_path, change)
    with pytest.raises(MalformedError) as caught:
        course.issue()
    assert words in str(caught.value)
    assert course.files() == {}


def test_a_reference_from_a_cell_is_checked_on_every_row(course: Class, tmp_path: Path) -> None:
    def use_text(credential: Any) -> None:
        credential["evidence"][0]["id"] = "{{portfolio}}"  # not typed as url, so only expansion can tell

    course.template = changed_template(tmp_path, use_text)
    path = table(tmp_path, set_cell(6, 6, "page 5"))
    with pytest.raises(MalformedError, match="line 6"):
        course.issue(table_path=path)
    assert course.files() == {}


def test_a_file_of_somebody_else_is_not_overwritten(course: Class) -> None:
    course.out.mkdir()
    (course.out / "20260003-data-literacy.credential.json").write_text("precious")
    with pytest.raises(ConfigError, match=r"exists and is not of this job.*line 4"):
        course.issue()
    assert list(course.files().values()) == [b"precious"]


def test_a_name_that_leads_nowhere_is_taken_too(course: Class, tmp_path: Path) -> None:
    course.out.mkdir()
    (course.out / "20260003-data-literacy.credential.json").symlink_to(tmp_path / "nothing")
    with pytest.raises(ConfigError, match=r"exists and is not of this job.*line 4"):
        course.issue()
    assert not (tmp_path / "nothing").exists()


def test_a_job_stays_in_its_folder(course: Class, tmp_path: Path) -> None:
    course.issue()
    with pytest.raises(ConfigError, match=r"goes into .*out; name that folder"):
        course.issue(folder=tmp_path / "elsewhere")


# -- crashes: whatever happened, running again ends in the same credentials, each logged once


class Crash(BaseException):
    """The process dies here."""


def finish(course: Class) -> JobReport:
    course.reopen()
    course.host.fail_submit_after, course.host.lose_answer = None, False
    return course.issue(now=NOW + timedelta(hours=5))


@pytest.mark.parametrize("answer_lost", [False, True])
@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_an_unreachable_host_delays_and_does_not_duplicate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer_lost: bool, chunk: int
) -> None:
    monkeypatch.setattr(batch, "CHUNK_ROWS", 10)
    course = Class(tmp_path)
    course.host.fail_submit_after, course.host.lose_answer = chunk, answer_lost
    with pytest.raises(PeerUnreachable):
        course.issue()
    assert len(course.files()) == 10 * (chunk + 1)
    report = finish(course)
    assert report.resumed
    assert report.signed == 30 - 10 * (chunk + 1)
    assert len(course.files()) == 30
    assert len(course.host.leaves) == 30
    assert {credential_digest(document) for document in course.credentials()} == set(course.host.leaves)


TRANSACTIONS = 8  # the plan, then signed and logged for each of three chunks, then the end


@pytest.mark.parametrize("landed", [False, True])
@pytest.mark.parametrize("call", range(1, TRANSACTIONS + 1))
def test_a_crash_at_any_transaction_leads_to_the_same_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int, landed: bool
) -> None:
    """`landed`: the transaction was durable, and the process died right after it."""
    monkeypatch.setattr(batch, "CHUNK_ROWS", 10)
    course = Class(tmp_path)
    real, calls = Ledger.transaction, 0

    @contextlib.contextmanager
    def dying(ledger: Ledger, *, keep: bool = True) -> Iterator[None]:
        nonlocal calls
        calls += 1
        with real(ledger, keep=keep):
            yield
            if calls == call and not landed:
                raise Crash
        if calls == call:
            raise Crash

    monkeypatch.setattr(Ledger, "transaction", dying)
    with pytest.raises(Crash):
        course.issue()
    monkeypatch.setattr(Ledger, "transaction", real)
    first_run = course.files()
    report = finish(course)
    assert report.rows == 30
    assert len(course.files()) == 30
    assert len(course.host.leaves) == 30
    assert {credential_digest(document) for document in course.credentials()} == set(course.host.leaves)
    assert {name: course.files()[name] for name in first_run} == first_run, "signed again to the same bytes"
    indexes = [parse_credential(document).status[0].index for document in course.credentials()]
    assert len(set(indexes)) == 30


def test_a_job_makes_no_other_transactions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "CHUNK_ROWS", 10)
    course = Class(tmp_path)
    real, calls = Ledger.transaction, 0

    def counting(ledger: Ledger, *, keep: bool = True) -> Any:
        nonlocal calls
        calls += 1
        return real(ledger, keep=keep)

    monkeypatch.setattr(Ledger, "transaction", counting)
    course.issue()
    assert calls == TRANSACTIONS, "else the crash table above is not complete"


def test_files_lost_before_they_were_recorded_are_written_again_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = Class(tmp_path)

    def die(*_args: Any) -> None:
        raise Crash

    monkeypatch.setattr(batch.jobs, "record_signed", die)
    with pytest.raises(Crash):
        course.issue()
    monkeypatch.undo()
    written = course.files()
    assert len(written) == 30
    for path in list(course.out.iterdir())[:15]:
        path.unlink()
    finish(course)
    assert course.files() == written


def test_a_table_that_changes_while_it_is_issued_stops_the_job(
    course: Class, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "CHUNK_ROWS", 2)
    path = table(tmp_path, lambda rows: None)

    def meddle(stage: str, _done: int, _rows: int) -> None:
        if stage == "sign":
            path.write_bytes(path.read_bytes().replace(b"Kowalski", b"Nowak"))

    with pytest.raises(ConfigError, match="was changed while it was being issued"):
        course.issue(table_path=path, progress=meddle)
    assert len(course.files()) == 2


@pytest.mark.parametrize(
    "answer",
    [
        lambda pairs: pairs[1:],
        lambda pairs: [*pairs[1:], (bytes(32), 1)],
        lambda pairs: [pairs[0], *pairs[:-1]],
        lambda pairs: [*pairs, pairs[0]],
    ],
)
def test_an_answer_about_other_digests_is_refused(course: Class, answer: Any) -> None:
    class Confused(MemoryHost):
        def submit(self, slug: str, digests: Any) -> Any:
            return answer(super().submit(slug, digests))

    course.host = Confused(course.workspace.publication())
    with pytest.raises(PeerMisbehaved, match="exactly the digests"):
        course.issue()
    assert course.workspace.ledger.run("SELECT count(leaf_index) FROM credentials") == [(0,)]


def test_a_deck_that_runs_out_brings_a_published_pair_of_lists(course: Class) -> None:
    with course.workspace.ledger.transaction():
        course.workspace.ledger.run("UPDATE decks SET used = ?", (DECK_SIZE - 4,))
    course.issue()
    lists = [parse_credential(document).status[0].list_id for document in course.credentials()]
    assert lists.count("https://status.ada.example/ada/revocation/1") == 4
    assert lists.count("https://status.ada.example/ada/revocation/2") == 26
    assert "https://status.ada.example/ada/revocation/2" in course.host.publication.lists
    assert course.host.publication.statement.sequence == 2


def test_two_tables_are_two_jobs_and_two_templates_as_well(course: Class, tmp_path: Path) -> None:
    course.issue()
    other = table(tmp_path, lambda rows: None)
    report = course.issue(table_path=other, folder=tmp_path / "second")
    assert report.signed == 5
    course.template = changed_template(tmp_path, lambda it: it.update(name="Another name"))
    assert course.issue(table_path=other, folder=tmp_path / "third").signed == 5


def test_memory_of_shapes_is_bounded(course: Class, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("testamur.node.issuing.awards.MAX_SHAPES", 1)
    assert course.issue().signed == 30


def test_hashed_identities_hide_the_address_and_can_be_checked(tmp_path: Path) -> None:
    course = Class(tmp_path, SAMPLES / "water-management-2026.csv", "water-management.template.json")
    course.issue()
    (document,) = (
        json.loads(data)["credential"] for name, data in course.files().items() if name.startswith("1-")
    )
    (identity, _) = document["credentialSubject"]["identifier"]
    assert b"students.example" not in b"".join(course.files().values())
    digest = sha256(b"learner1@students.example" + identity["salt"].encode()).hex()
    assert identity["identityHash"] == f"sha256${digest}"
    assert len(identity["salt"]) == 32
    assert parse_credential(document).subject_id is None


@pytest.mark.parametrize("token", [bytes(16), b"\xff" * 16, bytes(range(100, 116))])
def test_a_token_makes_a_version_4_urn_and_a_salt(token: bytes) -> None:
    text = urn_of(token)
    assert text.startswith("urn:uuid:")
    digits = text.removeprefix("urn:uuid:")
    assert (digits[14], digits[19] in "89ab", len(digits)) == ("4", True, 36)
    assert salt_of(token) not in text
    assert len(salt_of(token)) == 32
