"""What the node that the user named serves of a credential, for a verdict: offered, and nowhere believed."""

from testamur.node.errors import ConfigError, NodeError
from testamur.registry.canonical import Json
from testamur.registry.credentials import credential_digest
from testamur.registry.errors import MalformedError
from testamur.registry.newer_evidence import find_older_statement


def served_evidence(node_url: str, credential: Json, enclosed: Json, notes: list[str]) -> Json:
    """Evidence whose statements are no older than those that came with the credential, or None and a note.

    Raises ConfigError for a URL that is none.
    """
    from testamur.node.fetch.registry import RegistryClient

    try:
        with RegistryClient(node_url) as client:
            found = client.evidence(credential_digest(credential))
        older = None if found is None else find_older_statement(found, enclosed)
    except ConfigError:
        raise
    except (NodeError, MalformedError) as error:
        notes.append(
            f"{node_url} was not believed: {error}" if isinstance(error, MalformedError) else str(error)
        )
        return None
    if found is None:
        notes.append(f"{node_url} does not know of this credential")
    if older is None:
        return found
    # Behind, or made to look so: a revocation that the file proves is not to be forgotten.
    origin, got, known = older
    shown = f"statement {got}, older than {known}" if got else "nothing of a log that is"
    notes.append(f"{node_url} serves {shown} in the file: {origin}")
    return None
