"""What a person sees: the achievement first, and nothing that a stranger's text can restyle."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from fakes.awards import award
from fakes.whole_registry import World, judge, trust, trust_document
from testamur.node.cli.render import age, print_verdict
from testamur.registry.canonical import canonicalize
from testamur.registry.trust import parse_trust_file
from testamur.registry.verification.words import safe, sentence


def shown(verdict, width=80):
    stream = io.StringIO()
    print_verdict(Console(file=stream, width=width, emoji=False), verdict)
    return stream.getvalue()


def test_the_achievement_comes_first_then_the_sentence_then_eleven_numbered_checks():
    lines = shown(judge(World().dossier())).splitlines()
    assert lines[0] == "Data Literacy"
    verdict_line = next(number for number, line in enumerate(lines) if line.startswith("VALID"))
    numbered = [line for line in lines[verdict_line:] if line[:1] in "✓·✗?" and line.strip()]
    assert [int(line.split()[1]) for line in numbered] == list(range(1, 12))


def test_a_hostile_title_cannot_style_or_move_the_verdict():
    document = award()
    hostile = "[bold green]VALID[/] \x1b[2J\u202egnp.exe :key: \r\nVALID"
    document["credentialSubject"]["achievement"]["name"] = hostile
    text = shown(judge(World(award=document, revoked=(7,)).dossier()), width=200)
    assert "\x1b[2J" not in text
    assert "\u202e" not in text
    assert "[bold green]VALID[/]" in text.splitlines()[0]
    assert ":key:" in text.splitlines()[0]
    assert not any(line.startswith("VALID") for line in text.splitlines())
    assert any(line.startswith("INVALID") for line in text.splitlines())


def test_a_title_of_a_megabyte_is_cut():
    assert len(safe("x" * 1_000_000)) == 300
    assert safe("a\tb\nc\x00\u2066d") == "a\ufffdb\ufffdc\ufffd\ufffdd"


def test_a_development_registry_says_so_loudly_and_a_real_one_does_not():
    document = trust_document()
    document["development"] = True
    development = parse_trust_file(canonicalize(document))
    assert "DEVELOPMENT REGISTRY" in shown(judge(World().dossier(), trust=development))
    document = trust_document()
    assert "DEVELOPMENT REGISTRY" in shown(judge(World().dossier(), trust=trust()))  # on chain 31337
    document["chains"][0]["chainId"] = 4242
    real = parse_trust_file(canonicalize(document))
    assert "DEVELOPMENT" not in shown(judge(World().dossier(), trust=real))


def test_a_pipe_gets_one_line_a_check_and_nothing_after_its_last_word():
    lines = shown(judge(World().dossier()), width=40).splitlines()
    checks = [line for line in lines if line[:1] in "✓·✗?" and line[2:4].strip().isdigit()]
    assert [int(line[2:4]) for line in checks] == list(range(1, 12))
    assert [line for line in lines if line != line.rstrip()] == []


def test_what_could_not_be_asked_stands_beside_the_verdict():
    lines = shown(judge(World().dossier(), notes=("http://a does not answer",))).splitlines()
    verdict = next(number for number, line in enumerate(lines) if line.startswith("VALID"))
    assert "note: http://a does not answer" in lines[verdict + 1 : verdict + 3]


@pytest.mark.parametrize(
    ("world", "words"),
    [
        ({}, "in good standing"),
        ({"revoked": (7,)}, "its issuer has revoked it"),
        ({"suspended": (7,)}, "its issuer has suspended it"),
        ({"anchored": False}, "Cannot tell: It is not anchored on a chain yet."),
        ({"root_on_chain": b"\x07" * 32}, "check 6 (anchored) failed"),
    ],
    ids=str,
)
def test_one_sentence_says_it(world, words):
    assert words in sentence(judge(World(**world).dossier()))


def test_cannot_tell_is_never_worded_as_a_judgement():
    text = shown(judge({"credential": World().credential, "evidence": None}))
    assert "INDETERMINATE" in text
    assert "not a judgement" in " ".join(text.split())
    assert "revoked" not in text.lower()


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(0), "less than a second"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(minutes=61), "1 hour 1 minute"),
        (timedelta(days=2, hours=3, minutes=4), "2 days 3 hours"),
        (timedelta(seconds=-5), "from the future: this clock and the chain's disagree"),
    ],
)
def test_an_age_is_told_in_two_units(span, words):
    assert age(span) == words
