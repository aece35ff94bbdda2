import hashlib
import threading

import pytest

from testamur.node.errors import StoreCorrupt
from testamur.node.log.documents import DocumentStore
from testamur.registry.canonical import MAX_DOCUMENT_BYTES

DOCUMENT = b'{"a":1}'
DIGEST = hashlib.sha256(DOCUMENT).digest()


def test_a_document_is_found_by_the_digest_of_its_bytes(tmp_path):
    store = DocumentStore(tmp_path)
    assert store.put(DOCUMENT) == DIGEST
    assert (store.has(DIGEST), store.get(DIGEST), store.find(DIGEST)) == (True, DOCUMENT, DOCUMENT)
    assert DocumentStore(tmp_path).get(DIGEST) == DOCUMENT


def test_an_absent_document_is_absent(tmp_path):
    store = DocumentStore(tmp_path)
    assert (store.has(DIGEST), store.find(DIGEST)) == (False, None)
    with pytest.raises(KeyError):
        store.get(DIGEST)


def test_putting_it_again_changes_nothing(tmp_path):
    store = DocumentStore(tmp_path)
    store.put(DOCUMENT)
    before = store.path(DIGEST).stat()
    store.put(DOCUMENT)
    after = store.path(DIGEST).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_damaged_document_is_refused_and_mended_by_putting_it_again(tmp_path):
    store = DocumentStore(tmp_path)
    store.put(DOCUMENT)
    store.path(DIGEST).write_bytes(b'{"a":2}')
    with pytest.raises(StoreCorrupt, match="is damaged; put the document again"):
        store.get(DIGEST)
    store.put(DOCUMENT)
    assert store.get(DIGEST) == DOCUMENT


def test_a_document_has_a_largest_size(tmp_path):
    store = DocumentStore(tmp_path)
    digest = store.put(bytes(MAX_DOCUMENT_BYTES))
    assert store.get(digest) == bytes(MAX_DOCUMENT_BYTES)
    with pytest.raises(ValueError, match="at most"):
        store.put(bytes(MAX_DOCUMENT_BYTES + 1))


def test_a_file_that_grew_beyond_every_document_is_damage(tmp_path):
    store = DocumentStore(tmp_path)
    store.put(DOCUMENT)
    store.path(DIGEST).write_bytes(bytes(MAX_DOCUMENT_BYTES + 1))
    with pytest.raises(StoreCorrupt, match="larger than"):
        store.get(DIGEST)


def test_a_digest_of_another_length_is_a_mistake(tmp_path):
    with pytest.raises(ValueError, match="32 bytes"):
        DocumentStore(tmp_path).get(b"short")


def test_threads_may_put_the_same_document(tmp_path):
    store, failures = DocumentStore(tmp_path), []

    def put():
        try:
            for number in range(20):
                assert store.get(store.put(b"%d" % number)) == b"%d" % number
        except Exception as exc:  # noqa: BLE001  a thread's failure has to reach the test
            failures.append(exc)

    threads = [threading.Thread(target=put) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert [path.name for path in tmp_path.rglob("*.tmp")] == []
