// An SMSC made of the npm package smpp: node smsc.js PORT JOURNAL [KEY CERTIFICATE]. Its journal is its spool: what has been submitted, answered,
// acknowledged. Lines of JSON on its standard input are text messages to be delivered; what is not acknowledged when it is
// killed is delivered again after its next start.
//
// Numbers that begin with 400 are invalid, with 401 throttled the first time, with 402 undeliverable; with 403 the receipt waits for
// the next bind; with 404 the message is taken and never answered. All others are delivered at once.
"use strict";
const fs = require("fs");
const smpp = require("smpp");
const [port, journal, key, cert] = process.argv.slice(2);

const note = (entry) => fs.appendFileSync(journal, JSON.stringify(entry) + "\n");
const lines = fs.existsSync(journal) ? fs.readFileSync(journal, "utf8").split("\n").filter(Boolean).map(JSON.parse) : [];
const pending = new Map();
let submitted = 0;
for (const entry of lines) {
  if (entry.kind === "submit") submitted += 1;
  if (entry.kind === "pending") pending.set(entry.name, entry.fields);
  if (entry.kind === "acknowledged") pending.delete(entry.name);
}
let bound = null;
let binds = 0;

function offer(name) {
  const fields = pending.get(name);
  if (!bound || !fields) return;
  const session = bound;
  session.deliver_sm(ready(fields), (answer) => {
    note({ kind: "answer", name, status: answer.command_status });
    if (answer.command_status !== 0) return;
    pending.delete(name);
    note({ kind: "acknowledged", name });
  });
}

function ready(fields) {
  const { udh, message, hex, ...rest } = fields;
  const body = hex ? Buffer.from(hex, "hex") : message;
  return { ...rest, short_message: udh ? { udh: Buffer.from(udh, "hex"), message } : body };
}

function keep(name, fields, at_once = true) {
  pending.set(name, fields);
  note({ kind: "pending", name, fields });
  if (at_once) offer(name);
}

function receipt(id, pdu, state, word) {
  return {
    source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4, data_coding: 0,
    message: `id:${id} sub:001 dlvrd:001 submit date:2601010101 done date:2601010102 stat:${word} err:000 text:`,
    receipted_message_id: id, message_state: state,
  };
}

function submit(session, pdu) {
  const id = `id${(submitted += 1)}`;
  const to = pdu.destination_addr;
  const udh = pdu.short_message.udh ? pdu.short_message.udh.map((one) => one.toString("hex")) : [];
  note({
    kind: "submit", id, to, from: pdu.source_addr, text: pdu.short_message.message, udh, coding: pdu.data_coding,
    registered: pdu.registered_delivery, ton: pdu.dest_addr_ton, payload: pdu.message_payload,
  });
  if (to.startsWith("400")) return session.send(pdu.response({ command_status: smpp.ESME_RINVDSTADR }));
  if (to.startsWith("401") && submitted === 1) return session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
  if (to.startsWith("404")) return undefined;
  const bad = to.startsWith("402");
  session.send(pdu.response({ message_id: id }));
  note({ kind: "accepted", id, to });
  if (pdu.registered_delivery) {
    keep(`receipt ${id}`, receipt(id, pdu, bad ? 5 : 2, bad ? "UNDELIV" : "DELIVRD"), !to.startsWith("403"));
  }
  return undefined;
}

const tls = key ? { key: fs.readFileSync(key), cert: fs.readFileSync(cert) } : {};
const server = smpp.createServer(tls, (session) => {
  session.on("error", () => {});
  session.on("close", () => { if (bound === session) bound = null; });
  session.on("bind_transceiver", (pdu) => {
    const known = pdu.system_id === "mailnode" && pdu.password === "hush";
    session.send(pdu.response(known ? { system_id: "smscjs" } : { command_status: smpp.ESME_RBINDFAIL }));
    if (!known) return;
    bound = session;
    note({ kind: "bind", number: (binds += 1) });
    for (const name of [...pending.keys()]) offer(name);
  });
  session.on("submit_sm", (pdu) => submit(session, pdu));
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => { note({ kind: "unbind" }); session.send(pdu.response()); session.close(); });
  session.on("unknown", (pdu) => note({ kind: "unknown", id: pdu.command_id }));
});
server.listen(Number(port), "127.0.0.1", () => note({ kind: "ready" }));

let held = "";
process.stdin.on("data", (octets) => {
  held += octets;
  const ended = held.split("\n");
  held = ended.pop();
  for (const line of ended) {
    const { name, ...fields } = JSON.parse(line);
    keep(name, fields);
  }
});
process.stdin.on("end", () => process.exit(0));
