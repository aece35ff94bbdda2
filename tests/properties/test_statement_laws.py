"""Whatever tree of statements an issuer signs and a host logs: a mirror vouches for one unbroken, whole chain."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.disks import CountingDisk
from fakes.memory_log import DID, MemoryLog, key
from testamur.node.gossip.mirror import Mirror
from testamur.node.gossip.mirror_keys import MirroredLog
from testamur.registry.errors import VerificationError
from testamur.registry.statements import verify_succession
from testamur.registry.timestamps import format_timestamp

START = datetime(2026, 11, 21, tzinfo=UTC)
BRANCHES = st.lists(st.tuples(st.integers(0, 5), st.integers(2, 9)), min_size=1, max_size=6)
"""For each further statement: which earlier one it names as the one before, and its number."""


def grown(branches):
    """A log with the first statement and these, each with the position of the one that it names."""
    log = MemoryLog().admit()
    statements, parents = [log.statements[0]], [0]
    seal = log.seal()
    for place, (choice, number) in enumerate(branches, start=1):
        parents.append(choice % place)
        log.statements = [statements[parents[-1]]]
        # Each a minute later, so that no two are the same document.
        time = format_timestamp(START + timedelta(minutes=place))
        statements.append(log.state(sequence=number, time=time))
    return log, seal, statements, parents


def path_to(place, parents):
    """From the first statement to the one at `place`."""
    path = [place]
    while path[0]:
        path.insert(0, parents[path[0]])
    return path


@given(branches=BRANCHES, choice=st.integers(0, 5))
def test_a_mirror_cosigns_exactly_the_chains_that_rise_and_leave_nothing_out(branches, choice):
    log, first_head, statements, parents = grown(branches)
    sealed = 1 + choice % (len(statements) - 1)
    path = path_to(sealed, parents)
    numbers = [statements[place].sequence for place in path]
    others = [place for place in range(len(statements)) if place not in path]
    left_out = [
        place for place in others if statements[place].sequence <= numbers[-1] or parents[place] in path[:-1]
    ]
    whole = numbers == sorted(set(numbers)) and not left_out

    mirrored = MirroredLog(key=log.verifier_key, did=DID, first_key_event=log.events[0].digest)
    head = log.seal(statements[sealed])
    with tempfile.TemporaryDirectory() as folder:
        mirror = Mirror(Path(folder), "mirror.example/m1", key(50), lambda: 1, disk=CountingDisk())
        assert mirror.cosign(first_head, mirrored, log).reason == "cosigned"
        assert (mirror.cosign(head, mirrored, log).reason == "cosigned") == whole
        mirror.close()


@given(branches=BRANCHES)
def test_a_statement_follows_the_one_it_names_and_rises_above(branches):
    _, _, statements, parents = grown(branches)
    for place, later in enumerate(statements):
        for before, earlier in enumerate(statements):
            follows = place != 0 and parents[place] == before and later.sequence > earlier.sequence
            if follows:
                verify_succession(earlier, later)
            else:
                with pytest.raises(VerificationError):
                    verify_succession(earlier, later)
