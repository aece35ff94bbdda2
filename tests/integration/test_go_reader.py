"""Go's transparency-log code reads a log of ours from its files, agrees with every proof, finds damage."""

import base64

import pytest

from fakes.tile_folder import bundles_of, entry_bytes, reader_of, tiles_of, write
from testamur.node.log.documents import DocumentStore
from testamur.node.log.writer import LogWriter
from testamur.registry.canonical import canonicalize
from testamur.registry.checkpoints import Checkpoint, cosign, parse_signed_checkpoint, sign_checkpoint
from testamur.registry.entries import parse_entry
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.merkle import leaf_hash, root_hash
from testamur.registry.notes import NoteSigner, parse_note, parse_vkey, verify_note
from testamur.registry.seals import Seal
from testamur.registry.tiles import TileTree

pytestmark = pytest.mark.go

ORIGIN = "registry.example/ada/1"
KEY = SigningKey.from_seed(Algorithm.ED25519, bytes(range(32)))
VKEY = NoteSigner(name=ORIGIN, key=KEY).verifier_key.to_text()
ENTRIES = [entry_bytes(number) for number in range(70_000)]


def write_log(folder, size):
    """The folder of a log of `size` entries; gives its tree."""
    leaves = [leaf_hash(entry) for entry in ENTRIES[:size]]
    files = tiles_of(leaves)
    tree = TileTree(size, reader_of(files))
    signed = sign_checkpoint(Checkpoint(origin=ORIGIN, size=size, root=tree.root()), KEY)
    write(folder, files | bundles_of(ENTRIES[:size]) | {"checkpoint": signed})
    return tree


def claims(tree, indexes, old_sizes):
    inclusion = [(index, tree.prove_inclusion(index)) for index in indexes]
    consistency = [(size, tree.root(size), tree.prove_consistency(size)) for size in old_sizes]
    return inclusion, consistency


@pytest.mark.parametrize(
    ("size", "indexes", "old_sizes"),
    [
        (1, [0], [1]),
        (300, [0, 255, 256, 299], [1, 255, 256, 257, 300]),
        (65_536, [0, 65_535], [1, 256, 65_535]),
        (
            70_000,
            [0, 1, 34_567, 65_535, 65_536, 69_999],
            [1, 2, 255, 256, 12_345, 65_536, 65_537, 69_999, 70_000],
        ),
    ],
)
def test_go_agrees_with_signature_root_and_every_proof(go_reader, tmp_path, size, indexes, old_sizes):
    tree = write_log(tmp_path, size)
    found, complaint = go_reader(tmp_path, VKEY, *claims(tree, indexes, old_sizes))
    assert complaint is None
    assert (found["origin"], found["size"]) == (ORIGIN, size)
    assert base64.b64decode(found["root"]) == tree.root() == root_hash(map(leaf_hash, ENTRIES[:size]))
    assert (found["inclusion"], found["consistency"]) == (len(indexes), len(old_sizes))
    assert found["tilesRead"] > 0


def test_a_note_that_go_signed_verifies_here(go_reader, tmp_path):
    write_log(tmp_path, 300)
    found, _ = go_reader(tmp_path, VKEY)
    key, note = parse_vkey(found["vkey"]), parse_note(found["note"].encode())
    assert verify_note(note, [key]) == (key,)
    assert note.to_bytes() == found["note"].encode()
    assert key.to_text() == found["vkey"]


def test_cosignatures_do_not_disturb_go(go_reader, tmp_path):
    write_log(tmp_path, 300)
    signed = parse_signed_checkpoint((tmp_path / "checkpoint").read_bytes())
    line = cosign(signed.checkpoint, "witness.example/w", KEY, 1_790_000_000)
    (tmp_path / "checkpoint").write_bytes(signed.with_signatures([line]).to_bytes())
    found, complaint = go_reader(tmp_path, VKEY)
    assert complaint is None
    assert found["size"] == 300


def seal_for(previous):
    """What a host seals with: statement 1, whatever it says."""

    def make(size):
        seal = Seal(
            origin=ORIGIN,
            size=size,
            time="2026-11-21T10:00:00Z",
            statement_sequence=1,
            statement_digest=sha256(b"statement"),
            previous_seal=previous,
        )
        return canonicalize(seal.to_json())

    return make


def test_go_reads_the_folder_that_a_node_writes(go_reader, tmp_path):
    folder = tmp_path / "log"
    documents = DocumentStore(tmp_path / "documents")
    documents.put(b"statement")
    with LogWriter(folder, ORIGIN, KEY, documents) as writer:
        previous = None
        for count in (10, 600, 1):
            writer.append([parse_entry(entry) for entry in ENTRIES[writer.size : writer.size + count]])
            previous = writer.publish(seal_for(previous)).checkpoint.size
        tree = writer.reader.tree()
        assert previous == 614
        found, complaint = go_reader(folder, VKEY, *claims(tree, [0, 10, 255, 256, 612, 613], [11, 256, 612]))
    assert complaint is None
    assert (found["size"], base64.b64decode(found["root"])) == (614, tree.root())


@pytest.fixture
def log(tmp_path):
    return tmp_path, write_log(tmp_path, 300)


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)


def test_go_finds_a_changed_tile(go_reader, log):
    folder, _ = log
    flip(folder / "tile/0/001.p/44", 40)
    _, complaint = go_reader(folder, VKEY)
    assert "tile" in complaint


def test_go_finds_a_changed_entry(go_reader, log):
    folder, tree = log
    flip(folder / "tile/entries/000", 36 * 7 + 20)
    _, complaint = go_reader(folder, VKEY, *claims(tree, [6], []))
    assert complaint is None
    _, complaint = go_reader(folder, VKEY, *claims(tree, [7], []))
    assert "inclusion of 7" in complaint


def test_go_finds_a_changed_checkpoint_and_another_logs_key(go_reader, log):
    folder, _ = log
    other = NoteSigner(name=ORIGIN, key=SigningKey.from_seed(Algorithm.ED25519, bytes(32))).verifier_key
    _, complaint = go_reader(folder, other.to_text())
    assert "no verifiable signatures" in complaint
    flip(folder / "checkpoint", len(ORIGIN) + 1)
    _, complaint = go_reader(folder, VKEY)
    assert "invalid signature" in complaint


def test_go_refuses_what_we_would_refuse(go_reader, log):
    folder, tree = log
    proof = tree.prove_inclusion(7)
    assert "other hashes" in go_reader(folder, VKEY, inclusion=[(8, proof)])[1]
    consistency = (256, tree.root(257), tree.prove_consistency(256))
    assert "consistency with 256" in go_reader(folder, VKEY, consistency=[consistency])[1]
