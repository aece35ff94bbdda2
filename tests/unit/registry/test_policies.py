import itertools

import pytest

from testamur.registry.errors import MalformedError
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.notes import COSIGNATURE_ED25519, ED25519, VerifierKey
from testamur.registry.policies import (
    MAX_POLICY_BYTES,
    MAX_POLICY_GROUPS,
    MAX_POLICY_LOGS,
    MAX_POLICY_WITNESSES,
    parse_policy,
)


def vkey(number, algorithm=COSIGNATURE_ED25519, name=None):
    seed = number.to_bytes(32, "big")
    raw = SigningKey.from_seed(Algorithm.ED25519, seed).public_key.raw
    return VerifierKey(name=name or f"example.org/{number}", algorithm=algorithm, raw=raw)


LOG = vkey(100, ED25519)
KEYS = {name: vkey(number) for number, name in enumerate(["X1", "X2", "X3", "Y1", "Y2", "Y3"], start=1)}
WITNESSES = "".join(f"witness {name} {key.to_text()}\n" for name, key in KEYS.items())
EXAMPLE = (
    f"log {LOG.to_text()}\n\n{WITNESSES}"
    "group X-witnesses 2 X1 X2 X3\ngroup Y-witnesses any Y1 Y2 Y3\n"
    "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
)


def test_the_specifications_example_means_what_it_says():
    policy = parse_policy(EXAMPLE)
    assert policy.logs == (LOG,)
    assert dict(policy.witnesses) == KEYS
    assert policy.threshold_text == "2 of [2 of 3, 1 of 3]"
    for size in range(7):
        for names in itertools.combinations(KEYS, size):
            expected = sum(name[0] == "X" for name in names) >= 2 and any(name[0] == "Y" for name in names)
            cosigned = {KEYS[name] for name in names}
            assert policy.is_satisfied_by(cosigned) is expected
            assert policy.count(cosigned) == (size, 6)


def test_keys_outside_of_the_policy_do_not_count():
    policy = parse_policy(WITNESSES + "group g 2 X1 X2\nquorum g\n")
    impostor = vkey(9, name="example.org/1")
    assert not policy.is_satisfied_by([KEYS["X1"], impostor, KEYS["Y1"], KEYS["Y2"]])
    assert policy.count([KEYS["X1"], impostor]) == (1, 6)


@pytest.mark.parametrize(("rule", "threshold"), [("any", 1), ("all", 3), ("1", 1), ("2", 2), ("3", 3)])
def test_thresholds_are_any_all_or_a_number(rule, threshold):
    policy = parse_policy(WITNESSES + f"group g {rule} X1 X2 X3\nquorum g\n")
    assert policy.threshold_text == f"{threshold} of 3"
    for count in range(4):
        assert policy.is_satisfied_by([KEYS[name] for name in ("X1", "X2", "X3")[:count]]) is (
            count >= threshold
        )


def test_one_witness_can_be_the_quorum():
    policy = parse_policy(WITNESSES + "quorum X2\n")
    assert policy.is_satisfied_by([KEYS["X2"]])
    assert not policy.is_satisfied_by([KEYS["X1"]])
    assert policy.threshold_text == "1 of 1"


def test_none_needs_nobody():
    policy = parse_policy("quorum none\n")
    assert policy.is_satisfied_by([])
    assert policy.threshold_text == "none"
    assert policy.count([]) == (0, 0)


def test_urls_comments_and_white_space():
    text = (
        f"# comment with \u00e9\n \t # another\n\t log  {LOG.to_text()}\thttps://log.example/ \n"
        f"witness  w {KEYS['X1'].to_text()} https://w.example/\n \t \nquorum\tw\n"
    )
    policy = parse_policy(text)
    assert policy.urls == {LOG: "https://log.example/", KEYS["X1"]: "https://w.example/"}
    assert policy == parse_policy(text.encode())


def test_names_are_opaque_octets():
    kelvin = "\u212a ".encode() + KEYS["X2"].to_text().encode()
    text = b"witness K " + KEYS["X1"].to_text().encode() + b"\nwitness " + kelvin + b"\nquorum \xe2\x84\xaa\n"
    assert parse_policy(text).is_satisfied_by([KEYS["X2"]])
    binary = b"witness \xff\xfe " + KEYS["X1"].to_text().encode() + b"\nquorum \xff\xfe\n"
    assert parse_policy(binary).is_satisfied_by([KEYS["X1"]])


def test_definitions_may_follow_the_quorum_line():
    assert parse_policy("quorum none\n" + WITNESSES).count([]) == (0, 6)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "newline"),
        ("quorum none", "newline"),
        ("\n", "no quorum"),
        (WITNESSES, "no quorum"),
        ("quorum none\nquorum none\n", "second quorum"),
        ("quorum\n", "is not quorum"),
        ("quorum none none\n", "is not quorum"),
        ("quorum w\n", "not defined"),
        ("quorum X1\n" + WITNESSES, "not defined"),
        (WITNESSES + "group g any X1\nquorum h\n", "not defined"),
        ("threshold 3\nquorum none\n", "log, witness, group or quorum"),
        ("log\nquorum none\n", "is not log"),
        (f"log {LOG.to_text()} url more\nquorum none\n", "is not log"),
        (f"log {LOG.to_text()}\nlog {vkey(100, ED25519, 'other').to_text()}\nquorum none\n", "listed twice"),
        (f"log {KEYS['X1'].to_text()}\nquorum none\n", "signature type"),
        ("log nonsense\nquorum none\n", "line 1"),
        ("witness w\nquorum none\n", "is not witness"),
        (f"witness w {LOG.to_text()}\nquorum none\n", "signature type"),
        (WITNESSES + f"witness Z {vkey(1, name='other').to_text()}\nquorum none\n", "listed twice"),
        (WITNESSES + f"witness X1 {vkey(50).to_text()}\nquorum none\n", "taken"),
        (f"witness none {vkey(50).to_text()}\nquorum none\n", "taken"),
        (WITNESSES + "group none any X1\nquorum none\n", "taken"),
        (WITNESSES + "group X1 any X2\nquorum none\n", "taken"),
        (WITNESSES + "group g any X1\ngroup g any X2\nquorum none\n", "taken"),
        (WITNESSES + "group g any\nquorum none\n", "is not group"),
        (WITNESSES + "group g 1\nquorum none\n", "is not group"),
        (WITNESSES + "group g any none\nquorum none\n", "not defined"),
        (WITNESSES + "group g any g\nquorum none\n", "not defined"),
        (WITNESSES + "group g any h\ngroup h any X1\nquorum none\n", "not defined"),
        (WITNESSES + "group g 2 X1 X1\nquorum g\n", "twice"),
        (WITNESSES + "group g any X1\ngroup h any X1\nquorum h\n", "twice"),
        (WITNESSES + "group g 0 X1\nquorum g\n", "threshold"),
        (WITNESSES + "group g 2 X1\nquorum g\n", "threshold"),
        (WITNESSES + "group g 01 X1\nquorum g\n", "threshold"),
        (WITNESSES + "group g -1 X1\nquorum g\n", "threshold"),
        (WITNESSES + "group g some X1\nquorum g\n", "threshold"),
        (WITNESSES + "group g \u0661 X1\nquorum g\n", "threshold"),
        ("quorum none\r\n", "control character"),
        ("quorum\x0bnone\n", "control character"),
        ("quorum none\x7f\n", "control character"),
        ("quorum none\n\x00\n", "control character"),
        ("quorum\u00a0none\n", "log, witness"),
        ("# " + "x" * MAX_POLICY_BYTES + "\nquorum none\n", "larger"),
        ("# \ud800\nquorum none\n", "surrogate"),
    ],
)
def test_every_other_text_is_refused_with_its_reason(text, word):
    with pytest.raises(MalformedError) as caught:
        parse_policy(text)
    assert caught.value.subject == "witness policy"
    assert word in caught.value.reason


def many(limit, line):
    return "".join(line(number) for number in range(1, limit + 1))


@pytest.mark.parametrize(
    ("limit", "line"),
    [
        (MAX_POLICY_LOGS, lambda n: f"log {vkey(n, ED25519).to_text()}\n"),
        (MAX_POLICY_WITNESSES, lambda n: f"witness w{n} {vkey(n).to_text()}\n"),
    ],
)
def test_the_limits_are_exact_and_above_the_specifications_32(limit, line):
    assert limit >= 32
    assert parse_policy(many(limit, line) + "quorum none\n")
    with pytest.raises(MalformedError, match="more than"):
        parse_policy(many(limit + 1, line) + "quorum none\n")


def test_groups_may_nest_as_deep_as_there_may_be_groups():
    chain = "".join(
        f"group g{n} any {f'g{n - 1}' if n > 1 else 'X1'}\n" for n in range(1, MAX_POLICY_GROUPS + 1)
    )
    policy = parse_policy(WITNESSES + chain + f"quorum g{MAX_POLICY_GROUPS}\n")
    assert policy.is_satisfied_by([KEYS["X1"]])
    assert not policy.is_satisfied_by([KEYS["X2"]])
    with pytest.raises(MalformedError, match="more than"):
        parse_policy(WITNESSES + chain + "group one-more any X2\nquorum none\n")
