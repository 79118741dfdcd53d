// Sends one message with nodemailer: node authenticate.js PORT METHOD USER SECRET TO; METHOD is PLAIN, LOGIN or XOAUTH2.
"use strict";
const [port, method, user, secret, to] = process.argv.slice(2);
const auth = method === "XOAUTH2" ? { type: "OAuth2", user, accessToken: secret } : { user, pass: secret };
const transport = require("nodemailer").createTransport({
  host: "127.0.0.1", port: Number(port), requireTLS: true, tls: { rejectUnauthorized: false }, auth,
  authMethod: method === "XOAUTH2" ? undefined : method,
});
transport.sendMail({ from: user, to, subject: method, text: "hello" }).catch((error) => {
  console.error(error);
  process.exit(1);
});
