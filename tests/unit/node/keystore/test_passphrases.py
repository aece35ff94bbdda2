import pickle
import stat

import pytest

from testamur.node.errors import ConfigError
from testamur.node.keystore.passphrases import (
    CREDENTIAL_NAME,
    Passphrase,
    find_passphrase,
    generate_passphrase_file,
    read_passphrase_file,
)


def write(path, data, mode=0o600):
    path.write_bytes(data)
    path.chmod(mode)
    return path


def test_the_same_sentence_from_another_keyboard_is_the_same_passphrase():
    assert Passphrase("schön").reveal() == Passphrase("scho\u0308n").reveal()


@pytest.mark.parametrize("text", ["", "x" * 1025])
def test_an_empty_or_endless_passphrase_is_refused(text):
    with pytest.raises(ConfigError, match="passphrase"):
        Passphrase(text)


def test_a_passphrase_is_not_pickled():
    with pytest.raises(TypeError):
        pickle.dumps(Passphrase("secret"))


@pytest.mark.parametrize(
    "data", [b"secret words", b"secret words\n", b"secret words\r\n", b"secret words\nmore\n"]
)
def test_the_first_line_of_the_file_is_the_passphrase(tmp_path, data):
    assert read_passphrase_file(write(tmp_path / "file", data)).reveal() == b"secret words"


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe"])
def test_a_file_without_text_is_refused(tmp_path, data):
    with pytest.raises(ConfigError):
        read_passphrase_file(write(tmp_path / "file", data))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"--passphrase-file: there is no file .*nothing"):
        read_passphrase_file(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("mode", "allowed"),
    [(0o600, True), (0o400, True), (0o640, True), (0o644, False), (0o660, False), (0o602, False)],
)
def test_a_file_that_others_can_read_or_change_is_refused(tmp_path, mode, allowed):
    path = write(tmp_path / "file", b"secret", mode)
    if allowed:
        assert read_passphrase_file(path).reveal() == b"secret"
    else:
        with pytest.raises(ConfigError, match="open to other users; chmod 600 it"):
            read_passphrase_file(path)


def test_the_file_comes_before_the_credential_and_the_credential_before_the_terminal(tmp_path):
    file = write(tmp_path / "file", b"from file")
    write(tmp_path / CREDENTIAL_NAME, b"from systemd", 0o400)
    sources = {"credentials_folder": tmp_path, "prompt": lambda: "from terminal"}
    assert find_passphrase(file=file, **sources).reveal() == b"from file"
    assert find_passphrase(**sources).reveal() == b"from systemd"
    assert (
        find_passphrase(credentials_folder=tmp_path / "none", prompt=sources["prompt"]).reveal()
        == b"from terminal"
    )


def test_without_any_source_the_three_are_named():
    with pytest.raises(ConfigError, match=r"--passphrase-file.*systemd.*terminal"):
        find_passphrase()


def test_a_generated_passphrase_is_random_and_only_its_owner_s(tmp_path):
    first, second = (generate_passphrase_file(tmp_path / name) for name in ("one", "two"))
    assert first.reveal() != second.reveal()
    assert len(first.reveal()) == 32
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o600
    assert read_passphrase_file(tmp_path / "one").reveal() == first.reveal()


def test_a_passphrase_file_is_never_overwritten(tmp_path):
    before = generate_passphrase_file(tmp_path / "file")
    with pytest.raises(ConfigError, match="exists and is kept"):
        generate_passphrase_file(tmp_path / "file")
    assert read_passphrase_file(tmp_path / "file").reveal() == before.reveal()
