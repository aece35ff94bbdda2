// Verifies certificates that cert-issuer made with cert-verifier-js; everything it would fetch is answered in memory.
// Standard input: {"contexts": {URL: document}, "certificates": [issued …], "rounds": n}. Standard output:
// {"version", "verify": [µs …]}. Run inside the folder of its unpacked package.
const { readFileSync } = require("node:fs");
const { resolve } = require("node:path");

const { contexts, certificates, rounds } = JSON.parse(readFileSync(0, "utf8"));
const did = "did:web:ada.example";
const profile = "https://ada.example/issuer.json";
const key = { id: `${did}#key-1`, type: "Multikey", controller: did,
  publicKeyMultibase: "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK" };
const answers = {
  ...contexts,
  [`https://dev.uniresolver.io/1.0/identifiers/${did}`]: { didDocument: {
    "@context": ["https://www.w3.org/ns/did/v1"], id: did, verificationMethod: [key], assertionMethod: [key.id],
    service: [{ id: "#profile", type: "IssuerProfile", serviceEndpoint: profile }] } },
  [profile]: { "@context": ["https://w3id.org/openbadges/v2", "https://w3id.org/blockcerts/v3"], type: "Profile",
    id: did, name: "Université Ada Lovelace", url: "https://ada.example",
    publicKey: [{ id: key.id, created: "2019-01-01T00:00:00Z" }] },
};
globalThis.fetch = async (asked) => {
  const url = String(asked.url ?? asked);
  if (!(url in answers)) throw new Error(`not answered: ${url}`);
  return new Response(JSON.stringify(answers[url]), { headers: { "content-type": "application/json" } });
};
console.error = console.warn = () => {};
const { Certificate } = require(resolve("dist/verifier-node/index.js"));
const verify = async (document) => {
  const certificate = new Certificate(structuredClone(document));
  await certificate.init();
  const result = await certificate.verify();
  if (result.status !== "success") throw new Error(result.message);
};
(async () => {
  for (const certificate of certificates.slice(0, 5)) await verify(certificate);
  const found = { version: JSON.parse(readFileSync("package.json")).version, verify: [] };
  for (let round = 0; round < rounds; round++) {
    const before = process.cpuUsage();
    for (const certificate of certificates) await verify(certificate);
    const used = process.cpuUsage(before);
    found.verify.push((used.user + used.system) / certificates.length);
  }
  console.log(JSON.stringify(found));
})().catch((error) => { process.stderr.write(`${error}\n`); process.exit(1); });
