"""Revoking, suspending, reinstating: one statement for all of it, with reasons, and nothing done twice."""

import os
import shutil
import signal
from datetime import timedelta
from typing import Any

import pytest

from fakes.issuers import NOW, MemoryHost, RepeatableRandom, copy_workspace, signing_key
from testamur.node.errors import ConfigError, PeerUnreachable, StoreLocked
from testamur.node.issuing.status_changes import StatusChange, change_status, plan_changes
from testamur.node.issuing.status_records import record_files
from testamur.node.issuing.workspace import open_workspace
from testamur.registry.errors import VerificationError
from testamur.registry.record_proofs import parse_record_proof, verify_record

KEY = signing_key(1)
REVOCATIONS = "https://status.ada.example/ada/revocation/1"
DIGESTS = [bytes([number]) * 32 for number in range(20)]


@pytest.fixture
def workspace(tmp_path):
    with copy_workspace(tmp_path / "ada") as opened:
        with opened.ledger.transaction():
            opened.ledger.run("INSERT INTO jobs VALUES (1, x'00', 't', 'i', 'f', 's', 1, 1)")
            opened.ledger.run_many(
                "INSERT INTO credentials VALUES (1, ?, x'00', 1, ?, ?, ?, ?)",
                ((n, 100 + n, f"dossier-{n}", digest, 5 + n) for n, digest in enumerate(DIGESTS)),
            )
        yield opened


def asked(digest: bytes, purpose="revocation", value=True, **changes: Any) -> StatusChange:
    return StatusChange(digest=digest, purpose=purpose, value=value, **{"reason": "withdrawn", **changes})


def change(workspace, host, *changes, now=NOW):
    return change_status(workspace, changes, key=KEY, port=host, now=now, random_bytes=RepeatableRandom())


def test_many_revocations_are_one_statement_and_each_has_its_record(workspace):
    host = MemoryHost(workspace.publication())
    published = change(workspace, host, *map(asked, DIGESTS))
    assert len(host.bundles) == 1
    entry = published.lists[REVOCATIONS].entry
    proofs = [parse_record_proof(item) for _, item in record_files(workspace, DIGESTS, "revocation")]
    assert [verify_record(proof, entry.records_root).index for proof in proofs] == list(range(100, 120))
    assert {proof.batch.statement for proof in proofs} == {2}


def test_records_of_an_older_statement_stay_provable_from_its_time(workspace):
    host = MemoryHost(workspace.publication())
    first = change(workspace, host, asked(DIGESTS[0]))
    change(workspace, host, asked(DIGESTS[1]), now=NOW + timedelta(days=1))
    ((_, document),) = record_files(workspace, DIGESTS[:1], "revocation")
    verify_record(parse_record_proof(document), first.lists[REVOCATIONS].entry.records_root)


def test_nothing_that_is_published_says_why(workspace):
    host = MemoryHost(workspace.publication())
    change(workspace, host, asked(DIGESTS[0], reason="fraud", note="The transcript was forged."))
    shown = str(host.bundles)
    assert "StatusRecords" in shown
    for secret in ("fraud", "forged", DIGESTS[0].hex()):
        assert secret not in shown


def test_what_is_done_already_is_left_alone_and_makes_no_statement(workspace):
    host = MemoryHost(workspace.publication())
    change(workspace, host, asked(DIGESTS[0]), asked(DIGESTS[0]))
    change(workspace, host, asked(DIGESTS[0]))
    assert len(host.bundles) == 1
    plan = plan_changes(workspace, workspace.publication(), map(asked, DIGESTS[:3]), now=NOW)
    assert (len(plan.changed), len(plan.already)) == (2, 1)


def test_a_plan_signs_nothing(workspace):
    plan = plan_changes(workspace, workspace.publication(), map(asked, DIGESTS), now=NOW)
    assert len(plan.changed) == len(DIGESTS)
    assert workspace.find_pending() is None
    assert workspace.ledger.run("SELECT count(*) FROM status_records") == [(0,)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"reason": "because"}, "none of"),
        ({"effective": NOW + timedelta(seconds=1)}, "future"),
        ({"effective": NOW - timedelta(days=1)}, "fraud or issued-in-error"),
        (
            {
                "reason": "fraud",
                "effective": NOW - timedelta(days=9),
                "issued_at": NOW - timedelta(days=8),
            },
            "before the credential was issued",
        ),
        ({"note": "x" * 1001}, "1001 characters"),
        ({"digest": b"x" * 32}, "not issued from this workspace"),
    ],
)
def test_what_the_rules_do_not_allow_is_refused_with_its_reason_and_nothing_is_signed(
    workspace, changes, said
):
    host = MemoryHost(workspace.publication())
    values = {"digest": DIGESTS[0], **changes}
    with pytest.raises(ConfigError, match=said):
        change(workspace, host, asked(DIGESTS[1]), asked(values.pop("digest"), **values))
    assert host.bundles == []
    assert workspace.find_pending() is None


def test_fraud_may_count_from_a_moment_in_the_past(workspace):
    host = MemoryHost(workspace.publication())
    change(workspace, host, asked(DIGESTS[0], reason="fraud", effective=NOW - timedelta(days=3)))
    ((_, document),) = record_files(workspace, DIGESTS[:1], "revocation")
    assert parse_record_proof(document).record.effective == NOW - timedelta(days=3)


def test_what_was_never_logged_cannot_be_revoked(workspace):
    with workspace.ledger.transaction():
        workspace.ledger.run("UPDATE credentials SET leaf_index = NULL WHERE digest = ?", (DIGESTS[0],))
    with pytest.raises(ConfigError, match="never logged"):
        change(workspace, MemoryHost(workspace.publication()), asked(DIGESTS[0]))


def test_killed_between_signing_and_sealing_it_goes_on_with_the_same_statement_and_records(
    workspace, tmp_path
):
    host = MemoryHost(workspace.publication())
    host.fail_publish_after = 0
    with pytest.raises(PeerUnreachable):
        change(workspace, host, *map(asked, DIGESTS))
    signed: Any = workspace.find_pending()
    workspace.close()
    with open_workspace(tmp_path / "ada") as again:
        host.fail_publish_after = None
        published = change(again, host, *map(asked, DIGESTS))
        assert published.statement.json == signed["statement"]
        assert len(host.bundles) == 1
        assert len(list(record_files(again, DIGESTS, "revocation"))) == len(DIGESTS)


class Killed(MemoryHost):
    """A host that is never reached: the process is killed with the statement signed and kept, and not sent."""

    def publish(self, slug, bundle):
        os.kill(os.getpid(), signal.SIGKILL)
        return super().publish(slug, bundle)


def test_after_kill_9_nothing_is_lost_and_nothing_is_signed_twice(workspace, tmp_path):
    publication = workspace.publication()
    workspace.close()
    child = os.fork()
    if child == 0:
        with open_workspace(tmp_path / "ada") as doomed:
            change(doomed, Killed(publication), *map(asked, DIGESTS))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    with open_workspace(tmp_path / "ada") as again:
        signed: Any = again.find_pending()
        host = MemoryHost(publication)
        published = change(again, host, *map(asked, DIGESTS))
        assert published.statement.json == signed["statement"]
        assert again.ledger.run("SELECT count(*) FROM statements") == [(2,)]
        assert len(list(record_files(again, DIGESTS, "revocation"))) == len(DIGESTS)


def test_a_second_copy_of_the_workspace_cannot_sign_a_second_statement(workspace, tmp_path):
    """Two registrars at once: the host has one statement of a number, and the other one is told."""
    host = MemoryHost(workspace.publication())
    shutil.copytree(tmp_path / "ada", tmp_path / "copy")
    change(workspace, host, asked(DIGESTS[0]))
    with open_workspace(tmp_path / "copy") as copy:
        with pytest.raises(VerificationError, match=r"equivocation|chain-broken"):
            change(copy, host, asked(DIGESTS[1]))
    assert host.publication.statement.json == workspace.publication().statement.json
    with pytest.raises(StoreLocked):
        open_workspace(tmp_path / "ada")


def test_a_suspension_is_lifted_and_its_newest_record_is_the_lifting(workspace):
    host = MemoryHost(workspace.publication())
    change(workspace, host, asked(DIGESTS[0], "suspension", reason="under-review"))
    lifted = change(workspace, host, asked(DIGESTS[0], "suspension", value=False, reason="cleared"))
    ((_, document),) = record_files(workspace, DIGESTS[:1], "suspension")
    record = parse_record_proof(document).record
    assert (record.value, record.reason) == (False, "cleared")
    assert lifted.statement.sequence == 3


def test_what_is_revoked_cannot_be_reinstated(workspace):
    host = MemoryHost(workspace.publication())
    published = change(workspace, host, asked(DIGESTS[0]))
    plan = plan_changes(
        workspace, published, [asked(DIGESTS[0], "suspension", value=False, reason="cleared")], now=NOW
    )
    assert [item.reason for item in plan.refused] == [
        "it is revoked, which is final; issue the credential anew instead"
    ]
    assert not plan.changed
    assert not plan.already


def test_record_files_are_called_like_the_dossier_and_no_change_takes_the_name_of_another(workspace):
    host, one = MemoryHost(workspace.publication()), DIGESTS[:1]
    names = []
    for number, value in enumerate((True, False, True), 1):
        reason = "under-review" if value else "cleared"
        changed = asked(one[0], "suspension", value, reason=reason)
        change(workspace, host, changed, now=NOW + timedelta(days=number))
        names += [name for name, _ in record_files(workspace, one, "suspension")]
    assert names == [f"dossier-0.{statement}.status-record.json" for statement in (2, 3, 4)]
    assert [name for name, _ in record_files(workspace, one, "suspension")] == names[-1:]


def test_two_dossiers_of_one_name_have_two_records(workspace):
    with workspace.ledger.transaction():
        workspace.ledger.run("INSERT INTO jobs VALUES (2, x'01', 't', 'i', 'g', 's', 1, 1)")
        workspace.ledger.run("UPDATE credentials SET job = 2, file = 'dossier-0' WHERE row = 1")
    change(workspace, MemoryHost(workspace.publication()), *map(asked, DIGESTS[:3]))
    names = [name for name, _ in record_files(workspace, DIGESTS[:3], "revocation")]
    assert names[2] == "dossier-2.2.status-record.json"
    assert [name.startswith("dossier-0.") for name in names] == [True, True, False]
    assert len(set(names)) == 3
