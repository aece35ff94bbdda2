// Wraps a batch with OpenAttestation and verifies it with oa-verify, whose Ethereum calls are answered in memory.
// Standard input: {"credentials": [unsigned …], "rounds": n, "sample": n}. Standard output: {"version",
// "issue": [µs …], "verify": [µs …]}. Run inside the folder that holds its packages.
const { readFileSync } = require("node:fs");
const oa = require("@govtechsg/open-attestation");
const verify = require("@govtechsg/oa-verify");
const { providers } = require("ethers");

const { credentials, rounds, sample } = JSON.parse(readFileSync(0, "utf8"));
const store = "0x8bA63EAB43342AAc3AdBB4B827b68Cf4aAE5Caca";
const documents = credentials.map((credential) => ({
  ...credential,
  issuers: [{ name: "Université Ada Lovelace", documentStore: store,
    identityProof: { type: "DNS-TXT", location: "ada.example" } }],
}));
const word = (value) => "0x" + value.toString(16).padStart(64, "0");
// isIssued(bytes32) is 0x163aa631, isRevoked(bytes32) 0xa4b2ea4c: issued, and not revoked.
class Chain extends providers.StaticJsonRpcProvider {
  async send(method, parameters) {
    if (method === "eth_chainId") return "0x1";
    if (method === "eth_call") return word(parameters[0].data.startsWith("0x163aa631") ? 1 : 0);
    throw new Error(`not answered: ${method}`);
  }
}
const provider = new Chain("http://127.0.0.1:1", { name: "homestead", chainId: 1 });
const check = verify.verificationBuilder(
  [verify.openAttestationHash, verify.openAttestationEthereumDocumentStoreStatus], { provider });
const timed = async (count, work) => {
  const before = process.cpuUsage();
  await work();
  const used = process.cpuUsage(before);
  return (used.user + used.system) / count;
};
(async () => {
  let wrapped = oa.wrapDocuments(documents);
  const found = { version: JSON.parse(readFileSync("node_modules/@govtechsg/oa-verify/package.json")).version, issue: [], verify: [] };
  for (let round = 0; round < rounds; round++) {
    found.issue.push(await timed(documents.length, async () => { wrapped = oa.wrapDocuments(documents); }));
    found.verify.push(await timed(sample, async () => {
      for (const document of wrapped.slice(0, sample)) {
        const fragments = await check(document);
        if (!verify.isValid(fragments, ["DOCUMENT_INTEGRITY", "DOCUMENT_STATUS"])) {
          throw new Error(JSON.stringify(fragments));
        }
      }
    }));
  }
  console.log(JSON.stringify(found));
})().catch((error) => { console.error(error); process.exit(1); });
