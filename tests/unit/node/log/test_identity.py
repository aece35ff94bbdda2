"""`log.json` of a folder that somebody else made: a log it is, or damaged, and never a crash of its auditor."""

from pathlib import Path

import pytest

from fakes.issuers import signing_key
from testamur.node.files import DamagedFile
from testamur.node.log.layout import LogFolder, LogIdentity, find_identity, write_identity
from testamur.registry.notes import COSIGNATURE_ED25519, ED25519, VerifierKey

ORIGIN = "registry.example/ada/1"


def identity(algorithm: int, name: str = ORIGIN) -> LogIdentity:
    raw = signing_key(1).public_key.raw
    return LogIdentity(origin=ORIGIN, key=VerifierKey(name=name, algorithm=algorithm, raw=raw))


def test_what_was_written_is_found(tmp_path: Path) -> None:
    folder = LogFolder(tmp_path)
    assert find_identity(folder) is None
    write_identity(folder, identity(ED25519))
    assert find_identity(folder) == identity(ED25519)


@pytest.mark.parametrize(
    ("made", "problem"),
    [
        (identity(COSIGNATURE_ED25519), "signature type 0x04"),
        (identity(ED25519, name="registry.example/bit/1"), "names the key of"),
    ],
    ids=["a witness's key", "another log's key"],
)
def test_a_key_that_is_not_the_logs_is_damage(tmp_path: Path, made: LogIdentity, problem: str) -> None:
    write_identity(LogFolder(tmp_path), made)
    with pytest.raises(DamagedFile, match=problem):
        find_identity(LogFolder(tmp_path))
