// Runs oauth2-mock-server over TLS as one tenant of Entra ID has it: metadata and keys of tokens of version 1 below
// /<tenant>, of version 2 below /<tenant>/v2.0, both with the same signing key, which is new at each start.
//
// A token request (grant_type=client_credentials, at /<tenant>/token or /<tenant>/v2.0/token) may have a field "claims",
// a JSON object of claims to set, or to leave out where the value is null, and a field "header" for the token's header.
//
// usage: node provider.mjs TENANT CERTIFICATE KEY PORT

import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { OAuth2Issuer, OAuth2Service } from "oauth2-mock-server";

const [tenant, certificate, key, port] = process.argv.slice(2);

function merge(target, fields) {
  for (const [name, value] of Object.entries(JSON.parse(fields ?? "{}"))) {
    if (value === null) delete target[name];
    else target[name] = value;
  }
}

function service(url) {
  const issuer = new OAuth2Issuer();
  issuer.url = url;
  const made = new OAuth2Service(issuer, { jwks: "/discovery/keys" });
  made.on("beforeTokenSigning", (token, request) => {
    merge(token.payload, request.body.claims);
    merge(token.header, request.body.header);
  });
  return made;
}

const origin = `https://localhost:${port}`;
const [v1, v2] = [`${origin}/${tenant}/`, `${origin}/${tenant}/v2.0`].map(service);
await v2.issuer.keys.add(await v1.issuer.keys.generate("RS256"));

const server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
  console.log(`${request.method} ${request.url}`);
  const [path, version] = request.url.startsWith(`/${tenant}/v2.0/`) ? [`/${tenant}/v2.0`, v2] : [`/${tenant}`, v1];
  request.url = request.url.startsWith(path) ? request.url.slice(path.length) : "/not-this-tenant";
  version.requestHandler(request, response);
});
server.listen(Number(port), "127.0.0.1", () => console.log("listening"));
process.once("SIGTERM", () => process.exit(0));
