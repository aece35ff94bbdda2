// Issues and verifies credentials with @digitalbazaar/vc and eddsa-rdfc-2022, for scripts/bench/rdfc.py.
// Standard input: {"contexts": {URL: document}, "credentials": [unsigned …], "signed": [by us …], "rounds": n}.
// Standard output: {"issue": [µs …], "verify": [µs …], "ours": true if it accepts every one of `signed`}.
import { readFileSync } from "node:fs";
import * as vc from "@digitalbazaar/vc";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import { cryptosuite } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import * as Ed25519Multikey from "@digitalbazaar/ed25519-multikey";

const { contexts, credentials, signed, rounds } = JSON.parse(readFileSync(0, "utf8"));
const key = await Ed25519Multikey.from(JSON.parse(process.env.BENCH_KEY));
const did = key.controller;
const exported = { ...(await key.export({ publicKey: true })), "@context": "https://w3id.org/security/multikey/v1" };
const controller = {
  "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
  id: did,
  assertionMethod: [exported],
};
const documentLoader = async (url) => {
  const document = url === did ? controller : url === exported.id ? exported : contexts[url];
  if (!document) throw new Error(`not supplied: ${url}`);
  return { contextUrl: null, documentUrl: url, document, tag: url in contexts ? "static" : undefined };
};
const timed = async (work) => {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / credentials.length;
};
const verify = async (credential) => {
  const result = await vc.verifyCredential({
    credential,
    suite: new DataIntegrityProof({ cryptosuite }),
    documentLoader,
    checkStatus: () => ({ verified: true }),
  });
  if (!result.verified) throw new Error(JSON.stringify(result.error?.errors?.map(String) ?? String(result.error)));
};
const issueAll = async () => {
  const done = [];
  for (const credential of credentials) {
    const suite = new DataIntegrityProof({ signer: key.signer(), cryptosuite });
    done.push(await vc.issue({ credential: structuredClone(credential), suite, documentLoader }));
  }
  return done;
};
const theirs = await issueAll();
for (const credential of [...theirs, ...signed]) await verify(credential);
const found = { issue: [], verify: [], theirs };
for (let round = 0; round < rounds; round++) {
  found.issue.push(await timed(issueAll));
  found.verify.push(
    await timed(async () => {
      for (const credential of theirs) await verify(credential);
    }),
  );
}
console.log(JSON.stringify(found));
