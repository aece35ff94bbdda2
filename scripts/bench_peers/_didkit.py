"""Issues and verifies with didkit. Run by an interpreter of its own, not the project's.

didkit reads no context that is not built in, so the credentials come under the first version of the W3C's
context and an inline vocabulary. Standard input: {"credentials": [unsigned …], "rounds": n}. Standard output:
{"version", "issue": [µs …], "verify": [µs …]}.
"""

import asyncio
import json
import os
import sys
import time

import didkit

given = json.load(sys.stdin)
PURPOSE = {"proofPurpose": "assertionMethod"}


async def main() -> None:
    """Both lines, in turns."""
    key = didkit.generate_ed25519_key()
    method = await didkit.key_to_verification_method("key", key)
    did = didkit.key_to_did("key", key)
    options = json.dumps({**PURPOSE, "verificationMethod": method, "type": "Ed25519Signature2020"})
    documents = []
    for credential in given["credentials"]:
        document = {
            **credential,
            "@context": ["https://www.w3.org/2018/credentials/v1", {"@vocab": "https://vocabulary.example/"}],
            "issuer": {**credential["issuer"], "id": did},
            "issuanceDate": credential["validFrom"],
            "credentialSubject": {**credential["credentialSubject"]},
        }
        del document["validFrom"], document["credentialStatus"]
        documents.append(json.dumps(document))
    found = {"version": didkit.get_version(), "issue": [], "verify": []}
    for _ in range(given["rounds"]):
        started = time.process_time()
        signed = [await didkit.issue_credential(document, options, key) for document in documents]
        found["issue"].append((time.process_time() - started) * 1e6 / len(documents))
        started = time.process_time()
        for document in signed:
            result = json.loads(await didkit.verify_credential(document, json.dumps(PURPOSE)))
            if result["errors"]:
                sys.exit(str(result["errors"]))
        found["verify"].append((time.process_time() - started) * 1e6 / len(documents))
    json.dump(found, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # its threads have been seen to crash while the interpreter ends


asyncio.run(main())
