// Sends one ready message with nodemailer: node nodemailer.js PORT FROM TO FILE
"use strict";
const [port, from, to, file] = process.argv.slice(2);
const transport = require("nodemailer").createTransport({ host: "127.0.0.1", port: Number(port), ignoreTLS: true });
transport.sendMail({ envelope: { from, to: [to] }, raw: { path: file } }).catch((error) => {
  console.error(error);
  process.exit(1);
});
