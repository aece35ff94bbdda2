"""What lies where in a node's data folder."""

from pathlib import Path

from testamur.registry.entries import Origin


class NodeFolders:
    """Paths inside one node's folder; touches nothing.

    node.toml           settings
    keys/               encrypted keys: witness, mirror, attestation, operator, and one per hosted log
    trust.json          the trust file that this node uses and serves
    tokens.json         digests of issuers' access tokens
    hosting/<slug>/     the issuer's application and statements
    logs/<log id>/      logs as tlog-tiles
    documents/          public documents by digest
    index/              LevelDB, rebuildable
    captures/<log id>/  anchored evidence without entries, newest size wins
    witness/, mirror/   what this member has cosigned
    anchoring/          transactions on their way
    scrubs/             how far the verification of each log's files is; may be lost
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.keys = root / "keys"
        self.trust = root / "trust.json"
        self.tokens = root / "tokens.json"
        self.hosting = root / "hosting"
        self.logs = root / "logs"
        self.documents = root / "documents"
        self.index = root / "index"
        self.captures = root / "captures"
        self.witness = root / "witness"
        self.mirror = root / "mirror"
        self.anchoring = root / "anchoring"
        self.scrubs = root / "scrubs"

    def log(self, origin: Origin) -> Path:
        """The folder of one log; the same name under which it is served."""
        return self.logs / origin.log_id.hex()

    def capture(self, origin: Origin) -> Path:
        """The folder of one log's captures."""
        return self.captures / origin.log_id.hex()

    def scrub(self, origin: Origin) -> Path:
        """The file with the progress of one log's scrubber."""
        return self.scrubs / f"{origin.log_id.hex()}.json"

    def issuer(self, slug: str) -> Path:
        """The folder of one hosted issuer."""
        return self.hosting / slug
