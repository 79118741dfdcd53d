'use strict';
// Haraka's plugin for the bench: everyone is welcome, our domain's mail goes to Maildirs, all other mail to its hop.

const fs = require('node:fs/promises');
const path = require('node:path');

let site;
let count = 0;

exports.register = function () {
    site = this.config.get('site.json');
};

exports.hook_connect = (next, connection) => {
    connection.relaying = true;
    next();
};

exports.hook_rcpt = (next) => next(OK);

exports.hook_queue = exports.hook_queue_outbound = (next, connection) => {
    const transaction = connection.transaction;
    const to = transaction.rcpt_to[0];
    if (to.host !== site.domain) return next();
    transaction.message_stream.get_data((octets) => {
        keep(path.join(site.maildirs, to.user), octets).then(() => next(OK), (trouble) => next(DENYSOFT, `${trouble}`));
    });
};

exports.hook_get_mx = (next, _hmail, domain) => {
    next(OK, { exchange: site.hops[domain], port: site.port, priority: 0 });
};

async function keep (folder, octets) {
    for (const part of ['tmp', 'new', 'cur']) await fs.mkdir(path.join(folder, part), { recursive: true });
    const name = `${Date.now()}.P${process.pid}Q${count++}.bench`;
    const file = await fs.open(path.join(folder, 'tmp', name), 'wx');
    try {
        await file.writeFile(octets);
        await file.sync();
    } finally {
        await file.close();
    }
    await fs.rename(path.join(folder, 'tmp', name), path.join(folder, 'new', name));
}
