"""`verify` is read without Typer, and never differently from how Typer reads it."""

import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from hypothesis import given
from hypothesis import strategies as st

from fakes.whole_registry import World, trust_document
from testamur.node.cli import main, quick_start
from testamur.node.cli.application import app
from testamur.node.cli.output import source_of
from testamur.node.cli.quick_start import VerifyOptions, read_verify_options
from testamur.registry.canonical import canonicalize

COMMAND = typer.main.get_command(app).commands["verify"]
REFUSALS = (typer.Exit, typer.BadParameter.__mro__[1])  # help was shown; a wrong usage of any kind
OPTIONS = {**quick_start.FLAGS, **quick_start.VALUES, **quick_start.LISTS}

WORDS = st.one_of(
    st.sampled_from(
        [*OPTIONS, "--", "-", "-x", "--help", "-h", "--rp", "--trust=t.json", "--json=1", "--rpc="]
    ),
    st.sampled_from(["a.json", "b c", "", "7", "0", "07", "-7", "é", "folder/"]),
)


def as_typer_reads(arguments):
    """The options by Typer; None when it refuses or shows help."""
    try:
        with COMMAND.make_context("verify", list(arguments)) as context:
            found = dict(context.params)
    except REFUSALS:
        return None
    files = tuple(source_of(word) for word in found.pop("files"))
    lists = {name: tuple(found.pop(name) or ()) for name in quick_start.LISTS.values()}
    return VerifyOptions(files=files, **lists, **found)


def test_it_knows_every_option_of_the_command_and_no_other():
    said = {name: item.name for item in COMMAND.params for name in item.opts if name.startswith("--")}
    said.pop("--help", None)
    assert said == OPTIONS


@given(st.lists(WORDS, max_size=7))
def test_what_it_reads_typer_reads_alike(words):
    quick = read_verify_options(["verify", *words])
    if quick is not None:
        assert quick == as_typer_reads(words)


@pytest.mark.parametrize(
    "words",
    [
        ["--offline", "--trust", "t.json", "a.json"],
        ["a.json", "b.json", "--json"],
        ["a.json", "--rpc", "http://one", "--rpc=http://two", "--as-of", "2026-01-01T00:00:00Z"],
        ["folder", "--report", "r.csv", "--jobs", "2", "--home=h", "--policy", "p", "--evidence", "e"],
        ["-", "--node", "http://node"],
        ["a.json", "--documents", "map.json", "--context-file", "https://a.example=a", "--context-file=b=c"],
    ],
)
def test_plain_spellings_do_not_need_typer(words):
    assert read_verify_options(["verify", *words]) == as_typer_reads(words) != None  # noqa: E711


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--help"],
        ["a.json", "--jobs", "0"],
        ["a.json", "--jobs", "two"],
        ["a.json", "--trust"],
        ["a.json", "--trust", "--json"],
        ["a.json", "--unknown"],
        ["a.json", "--trust", "one", "--trust", "two"],
        ["a.json", "--", "-b.json"],
    ],
)
def test_everything_else_is_left_to_typer(words):
    assert read_verify_options(["verify", *words]) is None


@pytest.mark.parametrize("arguments", [[], ["issue", "a.json"], ["--help"], ["verif", "a.json"]])
def test_other_commands_are_left_to_typer(arguments):
    assert read_verify_options(arguments) is None


NOT_NEEDED = (
    *("web3", "aiohttp", "plyvel", "pydantic", "pydantic_core", "pyld", "structlog", "prometheus_client"),
    *(
        "asyncio",
        "http",
        "ssl",
        "socket",
        "urllib.request",
        "email",
        "typer",
        "concurrent",
        "multiprocessing",
    ),
)


@pytest.mark.parametrize("as_json", [False, True], ids=["words", "json"])
def test_an_offline_verification_loads_nothing_that_it_does_not_need(registry_files, as_json):
    trust, good = registry_files
    words = ["verify", "--offline", "--trust", str(trust), str(good), *(["--json"] if as_json else [])]
    code = (
        "import sys\n"
        "from testamur.node.cli.main import main\n"
        f"sys.argv = {['testamur', *words]!r}\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n"
        f"    loaded = [name for name in {NOT_NEEDED!r} if name in sys.modules]\n"
        "    print(end.code, loaded, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    # 3 is for a machine whose clock says that this evidence is old; nothing else may differ.
    assert done.stderr.strip() in ("0 []", "3 []"), done.stderr
    assert "valid" in done.stdout.lower()


def test_the_whole_command_line_is_still_there():
    assert main.app is app
    with pytest.raises(AttributeError):
        _ = main.apps


@pytest.fixture(scope="module")
def registry_files(tmp_path_factory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("registry")
    trust, good = folder / "trust.json", folder / "good.credential.json"
    trust.write_bytes(canonicalize(trust_document()))
    good.write_bytes(canonicalize(World().dossier()))
    return trust, good
