// Runs the unmodified package phoenix-server-js against the sandbox: it creates an invoice, reads
// and lists it, is paid, and receives the event over its websocket.
//
// The argument is the line that `strike-sandbox --json` prints.
import assert from "node:assert/strict";
import { once } from "node:events";
import module from "phoenix-server-js";

const Phoenix = module.default;
const sandbox = JSON.parse(process.argv[2]);
const url = sandbox.phoenixd_url;
const client = new Phoenix({ token: sandbox.phoenixd_password, host: url });

const invoice = await client.receiveLightningPayment({
    description: "tea",
    amountSat: 4200,
    externalId: "order-18",
});
assert.equal(invoice.amountSat, 4200);
assert.match(invoice.serialized, /^lntb42u1/);
const { paymentHash } = invoice;

const unpaid = await client.getIncomingPayment({ paymentHash });
assert.equal(unpaid.isPaid, false);
assert.equal(unpaid.invoice, invoice.serialized);
assert.deepEqual(await client.listIncomingPayments({ externalId: "order-18" }), []);

const socket = client.websocket();
await once(socket, "open");
const before = await client.getBalance();
const event = once(socket, "message", { signal: AbortSignal.timeout(20_000) });
const pay = await fetch(`${url}/sandbox/charges/${paymentHash}/pay`, { method: "POST" });
assert.equal(pay.status, 200);
const [message] = await event;
const received = JSON.parse(message.toString());
assert.deepEqual(
    [received.type, received.amountSat, received.paymentHash, received.externalId],
    ["payment_received", 4200, paymentHash, "order-18"],
);
socket.close();
await once(socket, "close");

const paid = await client.getIncomingPayment({ paymentHash });
assert.deepEqual([paid.isPaid, paid.receivedSat, paid.fees], [true, 4200, 0]);
const list = await client.listIncomingPayments({ externalId: "order-18" });
assert.deepEqual(list, [paid]);
const after = await client.getBalance();
assert.equal(after.balanceSat - before.balanceSat, 4200);
const info = await client.getNodeInfo();
assert.equal(info.chain, "testnet3");
assert.equal(info.channels[0].balanceSat, after.balanceSat);
assert.equal((await client.listChannels()).length, 1);

// The client throws the error of a rejected payment, and this password may not pay.
const rejected = await client.sendLightningInvoice({ invoice: invoice.serialized }).catch((error) => error);
assert.equal(rejected.response.status, 401);

console.log("phoenix-server-js 1.1.1: created, read, listed, paid, received the event");
