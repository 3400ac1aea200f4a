// A stranger's client in JavaScript: the published protos, @grpc/grpc-js, and nothing of ours.
// Reads one JSON object from standard input: address, ca, the unit's pins, an address where another
// server answers, per party certificate and key, and folders with protos. Prints what came back.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const tls = require("node:tls");
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");
const protobuf = require("protobufjs");

const given = JSON.parse(fs.readFileSync(0, "utf8"));
const agreement = "agreements/kemnaker-bkn-2024";
const flow = `${agreement}/flows/asn-status`;

const services = ["agreement_service", "run_service"].map((name) => `padan/v1/${name}.proto`);
const options = { includeDirs: given.protos, keepCase: true, enums: String, longs: String };
const padan = grpc.loadPackageDefinition(loader.loadSync(services, options)).padan.v1;

const root = new protobuf.Root();
root.resolvePath = (_, name) =>
  given.protos.map((folder) => path.join(folder, name)).find((file) => fs.existsSync(file)) ?? name;
root.loadSync(["google/rpc/status.proto", "google/rpc/error_details.proto"]);

function credentials(party) {
  const [ca, key, certificate] = [given.ca, party.key, party.certificate].map((f) => fs.readFileSync(f));
  return grpc.credentials.createSsl(ca, key, certificate, { checkServerIdentity });
}

// Runs when the handshake is done and before anything else is sent.
function checkServerIdentity(host, shown) {
  const key = new crypto.X509Certificate(shown.raw).publicKey.export({ type: "spki", format: "der" });
  const pin = crypto.createHash("sha256").update(key).digest("hex");
  return given.pins.includes(pin) ? tls.checkServerIdentity(host, shown) : new Error(`not the unit: ${pin}`);
}

function call(party, Service, method, request, address = given.address) {
  const client = new Service(address, credentials(given.parties[party]));
  const deadline = Date.now() + 30_000;
  return new Promise((resolve) => {
    client[method](request, { deadline }, (error, answer) => {
      client.close();
      resolve(error ? { code: grpc.status[error.code], ...errorInfo(error.metadata) } : answer);
    });
  });
}

function errorInfo(metadata) {
  const [details] = metadata.get("grpc-status-details-bin");
  if (!details) return {};
  const status = root.lookupType("google.rpc.Status").decode(details);
  const packed = status.details.find((d) => d.type_url.endsWith("/google.rpc.ErrorInfo"));
  const info = root.lookupType("google.rpc.ErrorInfo").decode(packed.value);
  return { domain: info.domain, reason: info.reason, metadata: info.metadata };
}

async function main() {
  const read = await call("kemnaker", padan.AgreementService, "GetAgreement", { name: agreement });
  const refused = await call("bkn", padan.RunService, "CreateRun", {
    parent: flow,
    run: { requester_dataset: `${flow}/datasets/none` },
  });
  const elsewhere = await call(
    "kemnaker", padan.AgreementService, "GetAgreement", { name: agreement }, given.elsewhere);
  console.log(JSON.stringify({ state: read.state, document: String(read.document), refused, elsewhere }));
}

main();
