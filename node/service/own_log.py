"""The registry's own log: an ordinary log, admitted and anchored like any other; its issuer is the registry.

The council's workspace for it lies beside the other workspaces, under the slug `registry`. Its first
statement names version 1 of the trust file, and each later version is a public document of a later one.
"""

from datetime import datetime
from pathlib import Path

from testamur.node.chain.ports import Chain
from testamur.node.errors import ConfigError
from testamur.node.files import read_file
from testamur.node.homes import node_folder, workspace_folder
from testamur.node.issuing.publishing import publish_documents, publish_pending
from testamur.node.keystore.passphrases import Passphrase
from testamur.node.keystore.store import Keystore
from testamur.node.service import issuer_side
from testamur.node.service.admitting import Admitted, admit
from testamur.node.service.config import NodeConfig
from testamur.node.service.folders import NodeFolders
from testamur.node.service.opening import application_slugs
from testamur.registry.publications import Publication
from testamur.registry.trust import MAX_TRUST_FILE_BYTES, TrustFile, parse_trust_file
from testamur.registry.trust_successions import OWN_SLUG, own_did, verify_successor, version_id


async def open_own_log(
    home: Path,
    config: NodeConfig,
    keystore: Keystore,
    client: Chain,
    passphrase: Passphrase,
    *,
    node_url: str,
    now: datetime,
) -> Admitted | None:
    """Admit the registry as the issuer of its own log, hosted by this node; None when that is done already.

    Repeating it after a crash finishes what is missing. A running node begins to host the log. Raises
    ConfigError, ContractRefused, ChainUnavailable.
    """
    root = node_folder(home)
    folders = NodeFolders(root)
    if OWN_SLUG in application_slugs(folders):
        return None
    trust = load_trust_file(folders.trust)
    folder = workspace_folder(home, OWN_SLUG)
    if (folder / "workspace.json").exists():
        document = issuer_side.application_of(folder)
    else:
        document = issuer_side.apply(
            folder,
            registry=config.registry,
            slug=OWN_SLUG,
            did=own_did(config.registry),
            name=f"Registry {config.registry}",
            status_base=f"{node_url.rstrip('/')}/status",
            node_url=node_url,
            passphrase=passphrase,
            now=now,
            documents=[(version_id(trust.registry, trust.sequence), trust.json)],
        )
    admitted = await admit(root, config, keystore, client, document, now=now)
    issuer_side.save_token(folder, admitted.token)
    return admitted


def publish_version(
    folder: Path, trust: TrustFile, later: TrustFile, passphrase: Passphrase, *, node_url: str, now: datetime
) -> Publication:
    """Publish a signed version through the hosting node; it uses it when this returns. Repeatable.

    `folder` is the registry's workspace, `trust` the version before. Everything that the node would refuse is
    refused here first: a statement that it never takes would stand in the way of all later ones. Raises
    VerificationError for a version that a quorum of `trust` did not sign, ConfigError when the workspace is
    not here or the node uses another version, PeerUnreachable, PeerMisbehaved.
    """
    if not (folder / "workspace.json").exists():
        reason = "the workspace of the registry's own log is not here; publish where the registry was founded"
        raise ConfigError(str(folder), reason)
    with (
        issuer_side.host_client(folder, node_url=node_url, token_file=None) as client,
        issuer_side.open_for_issuing(folder) as workspace,
    ):
        name = version_id(later.registry, later.sequence)
        published = publish_pending(workspace, client)
        if name in published.documents and later.digest == trust.digest:
            return published
        verify_successor(trust, later)
        used = parse_trust_file(client.trust_file())
        if used.digest != trust.digest:
            reason = f"uses version {used.sequence} of the trust file, and yours is {trust.sequence}"
            raise ConfigError(client.url, f"{reason}; bring yours up to date with `testamur trust fetch`")
        return publish_documents(
            workspace,
            [(name, later.json)],
            key=issuer_side.signing_key(folder, passphrase),
            port=client,
            now=now,
        )


def load_trust_file(path: Path) -> TrustFile:
    """The trust file of a node. Raises ConfigError when it is not there."""
    data = read_file(path, max_bytes=MAX_TRUST_FILE_BYTES)
    if data is None:
        raise ConfigError(str(path), "is missing; found a registry, or copy its trust file here")
    return parse_trust_file(data)
