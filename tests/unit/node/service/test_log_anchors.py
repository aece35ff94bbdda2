"""What the contract holds of a log is the log's, whoever anchored it and at whatever size; and nothing final is missed."""

import contextlib

import pytest

from fakes.chain import FakeChain
from fakes.hostings import StoppedNode
from testamur.node.chain.capture import LogHead
from testamur.node.errors import StoreCorrupt
from testamur.node.service import anchor_filling
from testamur.node.service.anchor_filling import AnchorFiller
from testamur.node.service.anchoring import Capturer, LogAnchors
from testamur.registry.hashing import sha256
from testamur.registry.keys import Algorithm, SigningKey
from testamur.registry.notes import NoteSigner

ATTESTER = NoteSigner(name="a", key=SigningKey.from_seed(Algorithm.ED25519, sha256(b"a")))


class Chain(FakeChain):
    """Whoever has the operator's key anchors one log in it; `meanwhile` happens while a proof is under way."""

    def __init__(self, hosting):
        super().__init__()
        self.log = hosting.log
        self.sequence = 0
        self.open_log(self.log.origin.log_id, self.log.origin.issuer_id)

    async def meanwhile(self):
        """Nothing."""

    async def get_proof(self, *arguments, **options):
        await self.meanwhile()
        return await super().get_proof(*arguments, **options)

    def anchor(self, size, root=None):
        """The log's tree of `size` in a new block, that is not final; what is read of it later."""
        origin, self.sequence = self.log.origin, self.sequence + 1
        root = root or self.log.writer.reader.tree().root(size)
        self.state.log(origin.log_id, origin.issuer_id, root=root, sequence=self.sequence, key=b"\x02" * 32)
        self.state.anchor(
            origin.log_id, self.sequence, size=size, block_number=len(self.blocks), timestamp=1, statement=1
        )
        self.mine()
        return LogHead(
            log_id=origin.log_id,
            sequence=self.sequence,
            size=size,
            root=root,
            statement=1,
            block_number=len(self.blocks) - 1,
            timestamp=1,
        )


class Life:
    """One hosted log with a checkpoint at `size` and nothing published at one entry less."""

    def __init__(self, folder):
        self.node = StoppedNode(folder / "node")
        self.hosting = self.node.host("ada")
        self.grow()
        self.chain = Chain(self.hosting)
        self.anchors = LogAnchors({"ada": self.hosting}, self.node.index, None)
        self.capturer = Capturer(
            self.chain,
            self.chain.contract,
            registry="registry.example",
            attester_at=lambda _: ATTESTER,
            interval_blocks=1,
        )

    @property
    def size(self):
        return self.hosting.log.writer.size

    def grow(self):
        log = self.hosting.log
        log.submit([sha256(b"%d" % (log.writer.size + number)) for number in range(5)])
        log.seal()

    def recorded(self):
        """The sizes in the index."""
        return [anchor.size for anchor in self.node.index.anchors(self.hosting.log.name)]

    def captured(self):
        """The size of the newest capture, or None."""
        newest = self.hosting.captures.newest()
        return newest and newest[0]

    async def fill(self):
        log = self.hosting.log
        filler = AnchorFiller(self.chain, self.chain.contract, self.node.index, from_block=0)
        return await filler.fill({log.name: log.writer.reader.folder})


@pytest.fixture
def life(tmp_path, monkeypatch):
    async def no_transactions(_client, _contract, *, first, last):
        return {}

    monkeypatch.setattr(anchor_filling, "read_anchoring_transactions", no_transactions)
    made = Life(tmp_path)
    with contextlib.closing(made.node):
        yield made


async def test_an_anchor_of_a_size_without_a_checkpoint_is_the_logs_if_its_root_is(life):
    await life.anchors.anchored(life.chain.anchor(life.size - 1), None)
    assert life.recorded() == [life.size - 1]


async def test_it_is_filled_in_as_well(life):
    life.chain.anchor(life.size - 1)
    life.chain.mine(5)
    assert await life.fill() == 1
    assert life.recorded() == [life.size - 1]


@pytest.mark.parametrize("less", [0, 1])
async def test_another_root_is_refused_at_a_published_size_and_at_any_other(life, less):
    head = life.chain.anchor(life.size - less, sha256(b"another tree"))
    life.chain.mine(5)
    with pytest.raises(StoreCorrupt, match="another root"):
        await life.anchors.anchored(head, None)
    with pytest.raises(StoreCorrupt, match="another root"):
        await life.fill()
    assert life.recorded() == []


async def test_a_head_beyond_the_log_is_refused(life):
    head = life.chain.anchor(life.size + 1, sha256(b"what this log has lost"))
    with pytest.raises(
        StoreCorrupt, match=rf"a head of {life.size + 1} entries, and this log has {life.size}:"
    ):
        await life.anchors.anchored(head, None)


async def test_a_damaged_tile_is_called_that_and_not_another_root(life):
    head = life.chain.anchor(life.size - 1)
    (tile,) = (life.hosting.log.writer.reader.folder / "tile" / "0").glob("**/*.p/*")
    tile.write_bytes(bytes(len(tile.read_bytes())))
    await life.anchors.anchored(head, None)
    assert life.hosting.log.health.damage is not None
    assert life.recorded() == []


async def test_an_anchor_that_becomes_final_while_another_one_is_captured_is_captured_next(life):
    first = life.size
    await life.anchors.anchored(life.chain.anchor(first), None)
    life.chain.mine(2)
    life.grow()
    later = life.chain.anchor(life.size)

    async def meanwhile():
        await life.anchors.anchored(later, None)

    life.chain.meanwhile = meanwhile
    await life.capturer.capture(life.hosting)
    assert life.captured() == first
    assert life.hosting.uncaptured_block == later.block_number
    life.chain.mine(2)
    await life.capturer.capture(life.hosting)
    assert life.captured() == life.size
    assert life.hosting.uncaptured_block is None


async def test_an_anchor_without_a_checkpoint_is_passed_over_and_the_next_one_is_captured(life):
    await life.anchors.anchored(life.chain.anchor(life.size - 1), None)
    life.chain.mine(2)
    await life.capturer.capture(life.hosting)
    assert (life.captured(), life.hosting.uncaptured_block) == (None, None)
    await life.anchors.anchored(life.chain.anchor(life.size), None)
    life.chain.mine(2)
    await life.capturer.capture(life.hosting)
    assert life.captured() == life.size
