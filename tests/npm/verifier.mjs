// Digital Bazaar's verifier and signer behind one line of JSON each, for tests/integration/test_npm_verifier.py.
// Reads {"action": "verify", "credential", "documents"} or {"action": "issue", "credential", "suite", "seed",
// "documents"} from standard input and answers {"verified", "errors"} or {"credential"}. Fetches nothing, unless
// "node" names a running node, which is then asked over HTTP for the status lists below "statusBase".
import { readFileSync } from "node:fs";

import * as vc from "@digitalbazaar/vc";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import * as EcdsaMultikey from "@digitalbazaar/ecdsa-multikey";
import * as Ed25519Multikey from "@digitalbazaar/ed25519-multikey";
import { Ed25519Signature2020 } from "@digitalbazaar/ed25519-signature-2020";
import { Ed25519VerificationKey2020 } from "@digitalbazaar/ed25519-verification-key-2020";
import { cryptosuite as ecdsaRdfc2019 } from "@digitalbazaar/ecdsa-rdfc-2019-cryptosuite";
import { createSignCryptosuite, createVerifyCryptosuite } from "@digitalbazaar/eddsa-jcs-2022-cryptosuite";
import { checkStatus } from "@digitalbazaar/vc-bitstring-status-list";
import { cryptosuite as eddsaRdfc2022 } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";

const MULTIKEY = "https://w3id.org/security/multikey/v1";
const request = JSON.parse(readFileSync(0, "utf8"));
const suites = {
  "ecdsa-rdfc-2019": ecdsaRdfc2019,
  "eddsa-jcs-2022": request.action === "issue" ? createSignCryptosuite() : createVerifyCryptosuite(),
  "eddsa-rdfc-2022": eddsaRdfc2022,
};

// did:key only: the document of the DID, or the one method that the fragment names.
function resolve(url) {
  const [did, fragment] = url.split("#");
  const multikey = did.slice("did:key:".length);
  const id = `${did}#${multikey}`;
  const method = { "@context": MULTIKEY, id, type: "Multikey", controller: did, publicKeyMultibase: multikey };
  if (fragment) return method;
  const context = ["https://www.w3.org/ns/did/v1", MULTIKEY];
  const { "@context": _, ...bare } = method;
  return { "@context": context, id: did, verificationMethod: [bare], assertionMethod: [id], authentication: [id] };
}

async function askNode(path) {
  const response = await fetch(request.node + path);
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
}

async function documentLoader(url) {
  if (request.node && url.startsWith(request.statusBase)) {
    const document = await askNode(`/v1/status-lists?id=${encodeURIComponent(url)}`);
    return { contextUrl: null, documentUrl: url, document };
  }
  if (url.startsWith("did:key:")) return { contextUrl: null, documentUrl: url, document: resolve(url) };
  const document = request.documents[url];
  if (!document) throw new Error(`${url} is not supplied`);
  return { contextUrl: null, documentUrl: url, document };
}

async function issue() {
  if (request.suite === "Ed25519Signature2020") {
    const seed = Buffer.from(request.seed, "hex");
    const key = await Ed25519VerificationKey2020.generate({ seed });
    key.controller = `did:key:${key.fingerprint()}`;
    key.id = `${key.controller}#${key.fingerprint()}`;
    const suite = new Ed25519Signature2020({ key, date: request.created });
    return vc.issue({ credential: request.credential, suite, documentLoader });
  }
  const isEcdsa = request.suite.startsWith("ecdsa");
  const key = isEcdsa
    ? await EcdsaMultikey.from({
        type: "Multikey", id: request.method, controller: request.controller,
        publicKeyMultibase: request.publicKeyMultibase, secretKeyMultibase: request.secretKeyMultibase,
      })
    : await Ed25519Multikey.generate({ seed: Buffer.from(request.seed, "hex"), controller: request.controller });
  key.id = request.method;
  const suite = new DataIntegrityProof({ signer: key.signer(), cryptosuite: suites[request.suite], date: request.created });
  return vc.issue({ credential: request.credential, suite, documentLoader });
}

async function verify() {
  const all = Object.values(suites).map((cryptosuite) => new DataIntegrityProof({ cryptosuite }));
  const result = await vc.verifyCredential({
    credential: request.credential,
    suite: [...all, new Ed25519Signature2020()],
    documentLoader,
    now: new Date(request.now),
    // Asked for each credential that names a list; the list itself is among the documents, as a node serves it.
    checkStatus: (options) => checkStatus({ ...options, suite: all }),
  });
  const errors = (result.error?.errors ?? (result.error ? [result.error] : [])).map((error) => `${error.message}`);
  const statuses = (result.statusResult?.results ?? []).map((item) => item.status);
  return statuses.length ? { verified: result.verified, errors, statuses } : { verified: result.verified, errors };
}

const answer = request.action === "issue" ? { credential: await issue() } : await verify();
process.stdout.write(`${JSON.stringify(answer)}\n`);
