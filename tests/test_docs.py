"""What is said in README.md and docs/ exists, and what exists is said there."""

import ast
import re
import subprocess
import sys
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest
import typer.main

from testamur.node.api.openapi import plain_path
from testamur.node.api.page.routes import PAGES as PAGE_ROUTES
from testamur.node.api.problems import PROBLEMS, TYPE_PREFIX
from testamur.node.api.routes import ROUTES
from testamur.node.cli.main import app
from testamur.node.service.config import NodeConfig
from testamur.registry.reasons import REASONS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "scripts").rglob("*.md")])
SOURCES = sorted(
    path
    for folder in ("registry", "node", "scripts", "contracts/src", "tests")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".sol", ".sh", ".mjs")
)

GLOSSARY_WORDS = (
    *(
        "anchor",
        "check",
        "checkpoint",
        "controller",
        "cosignature",
        "council",
        "credential",
        "custodian",
        "digest",
    ),
    *(
        "document",
        "dossier",
        "entry",
        "epoch",
        "evidence",
        "host",
        "index",
        "issuer",
        "key event",
        "leaf",
        "log",
    ),
    *(
        "member",
        "mirror",
        "node",
        "operator",
        "origin",
        "policy",
        "proof",
        "registry",
        "seal",
        "slug",
        "statement",
    ),
    *("status list", "trust file", "verdict", "witness"),
)
FORBIDDEN_WORDS = re.compile(r"\b(blockchain|notari[sz]\w*|blacklist\w*|whitelist\w*)\b", re.IGNORECASE)


def text_of(path):
    return path.read_text("utf-8")


def name_of(path):
    return str(path.relative_to(ROOT))


def commands(group, words=()):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name), command


@cache
def all_commands():
    return dict(commands(typer.main.get_command(app)))


def section(text, heading):
    """What stands between a heading and the next one of its level."""
    _, found, rest = text.partition(f"\n{heading}\n")
    assert found, f"there is no heading {heading!r}"
    return re.split(rf"^{re.match('#+', heading)[0]} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


# -- commands


def test_the_generated_pages_are_what_the_code_says():
    command = [sys.executable, str(ROOT / "scripts" / "write_reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_command_and_option_is_documented():
    page = text_of(ROOT / "docs" / "cli.md")
    for words, command in all_commands().items():
        part = section(page, f"## `testamur {' '.join(words)}`")
        for parameter in command.params:
            if getattr(parameter, "hidden", False):
                continue
            for option in (
                parameter.opts if parameter.param_type_name == "option" else [parameter.name.upper()]
            ):
                assert f"`{option}`" in part, f"testamur {' '.join(words)}: {option}"


def test_every_command_and_option_explains_itself():
    for words, command in all_commands().items():
        assert command.help, words
        for parameter in command.params:
            assert parameter.help, f"testamur {' '.join(words)}: {parameter.name}"


def test_every_setting_is_documented():
    page = text_of(ROOT / "docs" / "settings.md")
    assert [item.name for item in fields(NodeConfig) if f"| `{item.name}` |" not in page] == []


# -- reasons


def raised_reasons():
    for path in sorted((ROOT / "registry").rglob("*.py")):
        for node in ast.walk(ast.parse(text_of(path))):
            is_raised = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "VerificationError"
            if is_raised and node.args and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value, f"{name_of(path)}:{node.lineno}"


def test_every_reason_that_is_raised_has_words():
    assert {reason: where for reason, where in raised_reasons() if reason not in REASONS} == {}


def test_every_reason_is_documented():
    page = text_of(ROOT / "docs" / "reasons.md")
    assert REASONS
    assert [code for code in REASONS if f"| `{code}` |" not in page] == []


def test_reason_codes_are_lower_case_words_joined_by_dashes():
    assert [code for code in REASONS if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code)] == []


# -- the HTTP interface


@pytest.mark.parametrize(("heading", "routes"), [("## Routes", ROUTES), ("## Pages", PAGE_ROUTES)])
def test_every_route_is_documented_and_no_other(heading, routes):
    page = section(text_of(ROOT / "docs" / "http-api.md"), heading)
    said = {
        tuple(found.split(" "))
        for found in re.findall(r"^\| `([A-Z]+ [^`?]+)\??[^`]*` \|", page, re.MULTILINE)
    }
    assert said == {(route.method, plain_path(route.path)) for route in routes}


def test_every_problem_is_documented_with_its_status_and_no_other():
    page = section(text_of(ROOT / "docs" / "http-api.md"), "## Problems")
    said = {
        (name, int(status)) for name, status in re.findall(r"^\| `([a-z-]+)` \| (\d+) \|", page, re.MULTILINE)
    }
    assert said == {(problem.name, problem.status) for problem in PROBLEMS}
    assert f"`{TYPE_PREFIX}`" in page


# -- README


def console_lines():
    for page in PAGES:
        for block in re.findall(r"^```console\n(.*?)^```", text_of(page), re.MULTILINE | re.DOTALL):
            for line in block.splitlines():
                yield name_of(page), line


def test_console_blocks_name_only_targets_and_commands_that_exist():
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    found = list(console_lines())
    assert found
    for page, line in found:
        if not line.startswith("$ "):
            continue  # what a command prints
        words = line.removeprefix("$ ").split()
        if words[0] == "make":
            assert set(words[1:]) <= targets, f"{page}: {line}"
        elif words[0].rpartition("/")[2] == "testamur":
            verbs = tuple(word for word in words[1:3] if re.fullmatch(r"[a-z-]+", word))
            known = [name for name in all_commands() if name in (verbs, verbs[:1])]
            assert known, f"{page}: {line}"
            options = {
                option for p in all_commands()[known[0]].params for option in (*p.opts, *p.secondary_opts)
            }
            assert {word.partition("=")[0] for word in words if word.startswith("--")} <= options, (
                f"{page}: {line}"
            )
        else:
            assert words[0] in {"export", "cd", "bash", "git", "curl"}, f"{page}: {line}"


def test_every_target_says_what_it_does():
    makefile = text_of(ROOT / "Makefile")
    phony = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split())
    explained = set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.MULTILINE))
    assert explained == phony


# -- links and words


def anchors(path):
    headings = re.findall(r"^#+ (.*)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_relative_links_resolve(page):
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        linked = (page.parent / name).resolve() if name else page
        assert linked.exists(), f"{name_of(page)} links to {target}"
        assert linked.is_relative_to(ROOT)
        if anchor:
            assert anchor in anchors(linked), f"{name_of(page)} links to {target}"


def test_pages_that_the_sources_refer_to_exist():
    missing = {}
    for path in [*SOURCES, ROOT / "pyproject.toml", ROOT / "Makefile"]:
        for target in re.findall(r"\bdocs/[a-z0-9_/-]+\.(?:md|json)\b", text_of(path)):
            if not (ROOT / target).exists():
                missing[target] = name_of(path)
        for number in re.findall(r"\bdocs/adr/(\d{4})\b", text_of(path)):
            if not list((ROOT / "docs" / "adr").glob(f"{number}-*.md")):
                missing[f"docs/adr/{number}"] = name_of(path)
    assert missing == {}


def test_decisions_have_a_number_of_their_own_and_name_the_road_not_taken():
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert pages
    numbers = [page.name[:4] for page in pages]
    assert len(set(numbers)) == len(numbers)
    for page in pages:
        assert re.match(r"\d{4}-[a-z0-9-]+\.md$", page.name)
        assert re.match(rf"# (0*{int(page.name[:4])})[. ]", text_of(page)), page.name
        assert "not taken" in text_of(page).lower(), page.name


def glossary():
    return re.findall(r"^\| ([^|]+?) \|", text_of(ROOT / "docs" / "glossary.md"), re.MULTILINE)


def test_the_glossary_has_every_word_of_the_design_in_order():
    defined = glossary()
    assert [word for word in GLOSSARY_WORDS if word not in defined] == []
    first = text_of(ROOT / "docs" / "glossary.md").split("\n## States")[0]
    words = [
        word for word in re.findall(r"^\| ([^|]+?) \|", first, re.MULTILINE) if word not in ("word", "---")
    ]
    assert words == sorted(words)


def test_words_that_are_not_used_are_not_used():
    pages = [page for page in PAGES if page.name != "glossary.md"]
    wrong = [
        (name_of(page), found[0])
        for page in [*pages, *SOURCES]
        for found in FORBIDDEN_WORDS.finditer(text_of(page))
    ]
    assert [item for item in wrong if item[0] != "tests/test_docs.py"] == []


def test_the_changelog_has_the_version_that_is_built():
    version = re.search(r'^version = "([^"]+)"', text_of(ROOT / "pyproject.toml"), re.MULTILINE)[1]
    assert f"\n## {version}" in text_of(ROOT / "CHANGELOG.md")
