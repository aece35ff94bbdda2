"""Issues a batch with Blockcerts' cert-issuer, its chain mocked. Run by an interpreter of its own.

Standard input: {"contexts": {URL: document}, "credentials": [unsigned …], "rounds": n}. Standard output:
{"version", "issue": [µs a credential …], "issued": [some certificates]}.
"""

import copy
import json
import logging
import sys
import time
from importlib.metadata import version
from types import SimpleNamespace

import cert_issuer.normalization_handler
from cert_core import Chain
from cert_issuer.certificate_handlers import CertificateBatchWebHandler, CertificateWebV3Handler
from cert_issuer.merkle_tree_generator import MerkleTreeGenerator
from cert_schema import extend_preloaded_context

logging.disable(logging.CRITICAL)
cert_issuer.normalization_handler.get_config = lambda: None  # it would read a command line that is not there
given = json.load(sys.stdin)
for url, document in given["contexts"].items():
    extend_preloaded_context(url, document)
config = SimpleNamespace(
    verification_method="did:web:ada.example#key-1", issuance_timezone="UTC", multiple_proofs="chained"
)


def issue(credentials: list) -> list:
    """What its own issuing does, without the transaction: check, canonicalise, tree, a proof for each."""
    handler = CertificateWebV3Handler(config)
    batch = CertificateBatchWebHandler(None, handler, MerkleTreeGenerator(), config)
    batch.set_certificates_in_batch(credentials)
    batch.prepare_batch()
    batch.finish_batch("0x" + "00" * 32, Chain.mockchain)
    return batch.proof


issued = issue(copy.deepcopy(given["credentials"][:4]))
costs = []
for _ in range(given["rounds"]):
    credentials = copy.deepcopy(given["credentials"])
    started = time.process_time()
    issue(credentials)
    costs.append((time.process_time() - started) * 1e6 / len(credentials))
json.dump({"version": version("cert-issuer"), "issue": costs, "issued": issued}, sys.stdout)
