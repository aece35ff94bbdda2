"""JSON-LD contexts bundled as data, pinned by the digest of their canonical form.

Nothing is ever fetched: what is not here must be passed in by the caller. Licences are in LICENSES.md.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from testamur.registry.canonical import Json, digest

CREDENTIALS_V2 = "https://www.w3.org/ns/credentials/v2"
"""The base context of Verifiable Credentials 2.0; first in every credential."""

OPEN_BADGES_V3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
"""The newest Open Badges 3.0 context; the one that we issue with."""

MICRO_CREDENTIAL_V1 = "https://w3id.org/testamur/micro-credential/v1"
"""Our terms for the European micro-credential elements that Open Badges has no home for."""

JOINT_AWARD_V1 = "https://w3id.org/testamur/joint-award/v1"
"""Our terms for a credential that several institutions award together (docs/spec/credentials.md)."""

BUNDLED: Mapping[str, tuple[str, str]] = {
    "https://www.w3.org/2018/credentials/v1": (
        "credentials-v1.jsonld",
        "b01e671e873981f19a9102a9a57f666dbcaeb31b99e3e124378d143e71549247",
    ),
    CREDENTIALS_V2: (
        "credentials-v2.jsonld",
        "b463c8d6a066214123ddd9827b135e1b50e1fc73322cc52a9b12a4f1fc7d86cf",
    ),
    "https://w3id.org/security/data-integrity/v1": (
        "data-integrity-v1.jsonld",
        "9505bf85338a4c2121ad03992ac90061bc85d43bcfa34d9d47b779381cf08b5f",
    ),
    "https://w3id.org/security/data-integrity/v2": (
        "data-integrity-v2.jsonld",
        "7ba3c50acf2689d5e07927267343eb353249c7c22a9f2d00307cc970e855e305",
    ),
    "https://w3id.org/security/multikey/v1": (
        "multikey-v1.jsonld",
        "be20c3ee6af6e9c4102e66a85c26617831218e32216bdf050f870e389e737cdc",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context.json": (
        "open-badges-v3.jsonld",
        "2c54acaa1cffda2420be32ab61f0a2082051211131c6337686f36f2537aa859b",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json": (
        "open-badges-v3.0.1.jsonld",
        "8bb2354552b70cbdf2066f6d3e24bc5c2be2619145737580ad2aebdc366e77d5",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json": (
        "open-badges-v3.0.2.jsonld",
        "bdd1d11a55a660322f24660862a1d430ee80cce584465f750909daa43684357c",
    ),
    OPEN_BADGES_V3: (
        "open-badges-v3.0.3.jsonld",
        "c5e555a91a5cf48e32ae0a05674c61ddd5c053b680b5643b2f57f9965e386d99",
    ),
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json": (
        "open-badges-extensions-v3.jsonld",
        "15f4c347c6fe4380d9b6b93795859e33747ef48d5c55b91a71c52fb51c7bcbd7",
    ),
    "https://www.w3.org/ns/credentials/status/v1": (
        "bitstring-status-v1.jsonld",
        "b2fcebfbaf4e6beae2be370fda8a5f9f99c28540c798a75a8cdccc0fb1a12492",
    ),
    "https://www.w3.org/ns/did/v1": (
        "did-v1.jsonld",
        "a7e146c40fcec005d3f0f14ae745665f446da58d7914a9d8f733746686fad82b",
    ),
    "https://w3id.org/security/suites/ed25519-2020/v1": (
        "ed25519-2020-v1.jsonld",
        "fb517f09d990829aed734c9bad8cbbb2ac3d5063b865c7e3d81f246074bf5691",
    ),
    "https://w3id.org/security/v1": (
        "security-v1.jsonld",
        "d87de2ce3ce407bcac481f8af31e211e54beb5cbd7dd459826ed0502302ee234",
    ),
    "https://w3id.org/security/v2": (
        "security-v2.jsonld",
        "38a9ef19cf3a75bf856202bd1ed4cbd55c985ad4a809eb7f4ef584ba9d51dc90",
    ),
    "https://w3id.org/vc/status-list/2021/v1": (
        "status-list-2021-v1.jsonld",
        "9768f9aa81ab6c3e2ad96b2d669eaba67afe13fff0140a853f1e3d313fab13b6",
    ),
    JOINT_AWARD_V1: (
        "joint-award-v1.jsonld",
        "35368f1e4d3d281cc0bd53e17bd9b4fbf84134a9b59c150227ad589ce490c46b",
    ),
    MICRO_CREDENTIAL_V1: (
        "micro-credential-v1.jsonld",
        "174a028e6452ff99f65ab65f78918cfe95f1eaecc6bb7bf517403356b080412e",
    ),
}
"""Context URL → (file, hex SHA-256 of its RFC 8785 form).

The canonical form is pinned, because copies of one context differ in white space. `undefined-terms/v2` is
missing on purpose: with it every misspelt term would be "defined".
"""


@cache
def find_context(url: str) -> dict[str, Json] | None:
    """The bundled context document at `url`, or None; shared, so it must not be changed.

    Raises ValueError when the installed file is not the pinned one: that installation is damaged.
    """
    if url not in BUNDLED:
        return None
    name, pinned = BUNDLED[url]
    document = json.loads(resources.files(__name__).joinpath(name).read_bytes())
    if digest(document).hex() != pinned:
        raise ValueError(f"the bundled context {name} differs from its pinned digest: reinstall testamur")
    return document  # type: ignore[no-any-return]
