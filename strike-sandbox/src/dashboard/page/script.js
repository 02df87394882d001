// Fills the page with the responses of the routes below /sandbox/, and loads them again after each change.
// Every text from a charge or from the server is set with textContent, never as markup.

const PAGE_SIZE = 25;
const DELIVERIES = 10;
/** The minimum time between two loads in milliseconds, however many changes there are. */
const LOAD_INTERVAL = 250;
/** The delay before a reconnect in milliseconds. */
const RETRY_DELAY = 1000;

const $ = (id) => document.getElementById(id);
const count = new Intl.NumberFormat("en");
const satoshi = (amount) => `${count.format(amount)}\u00a0sat`;
const STATE_NAMES = { pending: "Pending", paid: "Paid", expired: "Expired" };

let page = 0;
/** The id of the open charge, or null. */
let openId = null;
/** The charges as they were last shown, by id. A comparison with the next load finds the changes. */
let known = new Map();
const rows = { charges: new Map(), deliveries: new Map() };

// --- requests ---

/** Sends a request to the sandbox: a POST if there is a body. Error messages are shown to the user. */
async function send(path, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(`/sandbox/${path}`, { signal: AbortSignal.timeout(15_000), ...(body && post) });
  } catch {
    throw new Error("No response from the sandbox. Is it still running?");
  }
  const json = await response.json().catch(() => ({}));
  if (response.ok) return json;
  const error = new Error(json.message ?? `The sandbox responded with status ${response.status}.`);
  error.status = response.status;
  throw error;
}

/** Turns a 404 into undefined. */
const orNone = (response) => response.catch((error) => {
  if (error.status !== 404) throw error;
});

/** Runs a button's action. Ignores clicks while it runs, and shows its error as text in `problem`. */
async function runAction(button, problem, action) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  setText(problem, "");
  try {
    await action();
  } catch (error) {
    setText(problem, error.message);
  } finally {
    button.ariaBusy = "false";
    refresh();
  }
}

// --- the sandbox's clock, estimated from its last known time ---

const clock = { now: 0, read: 0, runs: true };

function setClock(now) {
  const read = performance.now();
  // A sandbox with a manual clock stands still until it is moved.
  if (clock.read && read - clock.read > 20) clock.runs = now - clock.now > (read - clock.read) / 2;
  Object.assign(clock, { now, read });
}

const now = () => clock.now + (clock.runs ? performance.now() - clock.read : 0);

/** Formats a duration in its largest unit. */
function duration(ms) {
  const units = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1000, "s"]];
  const [size, name] = units.find(([size]) => ms >= size) ?? units[3];
  return `${Math.floor(Math.max(ms, 0) / size)}\u00a0${name}`;
}

function relative(ms) {
  const ago = now() - ms;
  if (ago < 0) return `in ${duration(-ago + 999)}`;
  return ago < 2000 ? "just now" : `${duration(ago)} ago`;
}

/** Sets the time of a <time> element. `tick` keeps its relative text up to date. */
function setTime(element, ms) {
  const moment = new Date(ms);
  if (element.dataset.ms === String(ms)) return;
  element.dataset.ms = ms;
  element.dateTime = moment.toISOString();
  element.title = `${moment.toLocaleString()} (${moment.toISOString()})`;
  setText(element, relative(ms));
}

function tick() {
  for (const element of document.querySelectorAll("time[data-ms]")) setText(element, relative(Number(element.dataset.ms)));
  if (clock.read) setText($("clock-time"), `${new Date(now()).toISOString().slice(11, 19)}\u00a0UTC`);
}

// --- helpers ---

/** Sets a text if it differs: a screen reader would read an unchanged text again. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a short status message, which screen readers also read. */
function announce(text) {
  clearTimeout(announce.timer);
  // Screen readers read the same text a second time only if it was empty in between.
  setText($("status"), "");
  announce.timer = setTimeout(() => {
    setText($("status"), text);
    announce.timer = setTimeout(() => setText($("status"), ""), 8000);
  }, 50);
}

/** Shows or hides an element. If it is hidden while it has the focus, the focus moves to `next`. */
function show(element, visible, next) {
  if (!visible && element.contains(document.activeElement)) next?.focus();
  element.hidden = !visible;
}

function setState(element, state) {
  element.dataset.state = state;
  setText(element, STATE_NAMES[state] ?? state);
}

function setDescription(element, charge) {
  const isEmpty = charge.description.trim() === "";
  element.classList.toggle("wordless", isEmpty);
  setText(element, isEmpty ? "no description" : charge.description);
}

/** Updates the rows of a list. An item keeps its element, and so its focus, as long as it is listed. */
function updateList(list, elements, items, template, create, update) {
  const ids = new Set(items.map((item) => item.id));
  for (const [id, row] of elements) {
    if (ids.has(id)) continue;
    if (row.contains(document.activeElement)) list.closest("section").querySelector("h2").focus();
    row.remove();
    elements.delete(id);
  }
  let place = list.firstElementChild;
  for (const item of items) {
    let row = elements.get(item.id);
    if (!row) {
      row = $(template).content.firstElementChild.cloneNode(true);
      elements.set(item.id, row);
      create(row, item.id);
    }
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
    update(row, item);
  }
}

/** Copies the text of an element to the clipboard. */
async function copy(source, button, name) {
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
  } catch {
    // Browsers have this clipboard only with HTTPS or on localhost.
    if (source.select) source.select();
    else getSelection().selectAllChildren(source);
    if (!document.execCommand("copy")) throw new Error("The browser cannot copy. The text is selected: copy it with the keyboard.");
    button.focus();
  }
  button.firstChild.data = "Copied";
  announce(`${name} copied`);
}

// --- the account ---

let hasAccount = false;

function updateAccount(account) {
  hasAccount = true;
  setText($("network"), account.network);
  setText($("api-key"), account.api_key ?? "");
  show($("copy-key"), account.api_key !== undefined);
  $("copy-key").firstChild.data = "Copy";
  show($("api-key-hidden"), account.api_key === undefined);
}

// --- charges ---

function createChargeRow(row, id) {
  const part = (name) => row.querySelector(`.${name}`);
  part("show").addEventListener("click", () => open(openId === id ? null : id, true));
  part("pay").addEventListener("click", () => runAction(part("pay"), part("problem"), () => pay(id)));
}

function updateChargeRow(row, charge) {
  const part = (name) => row.querySelector(`.${name}`);
  if (known.get(charge.id)?.state === "pending" && charge.state === "paid") row.classList.add("news");
  setState(part("state"), charge.state);
  setDescription(part("what"), charge);
  setText(part("amount"), satoshi(charge.amount));
  setTime(part("when"), charge.created);
  setText(part("pay").querySelector(".visually-hidden"), ` ${satoshi(charge.amount)}`);
  show(part("pay"), charge.state === "pending", part("show"));
  part("show").ariaExpanded = String(charge.id === openId);
}

const pay = (id) => send(`charges/${encodeURIComponent(id)}/pay`, {});

/** Opens a charge in the panel, or closes the panel if the id is null. */
function open(id, byUser) {
  openId = id;
  history.replaceState(null, "", id ? `#${id}` : location.pathname);
  for (const [other, row] of rows.charges) row.querySelector(".show").ariaExpanded = String(other === id);
  const charge = known.get(id);
  if (charge) updateInvoice(charge);
  else if (id) refresh();
  else show($("invoice"), false, $("charges-title"));
  if (charge && byUser) {
    $("invoice-title").focus({ preventScroll: true });
    $("invoice").scrollIntoView({ block: "nearest" });
  }
}

function updateInvoice(charge) {
  const pending = charge.state === "pending";
  if ($("invoice").dataset.id !== charge.id) {
    $("invoice").dataset.id = charge.id;
    setText($("invoice-problem"), "");
    $("copy").firstChild.data = "Copy";
  }
  show($("invoice"), true);
  setText($("invoice-title"), satoshi(charge.amount));
  setState($("invoice-state"), charge.state);
  setDescription($("invoice-description"), charge);

  const path = `/sandbox/charges/${encodeURIComponent(charge.id)}/qr`;
  if (pending && $("qr").getAttribute("src") !== `${path}.svg`) {
    $("qr").src = `${path}.svg`;
    $("qr").alt = `QR code of the payment request for ${satoshi(charge.amount)}`;
  }
  // A charge that cannot be paid has no QR code, so that nobody scans it.
  show($("code"), pending);
  show($("stamp"), !pending);
  $("stamp").dataset.state = charge.state;
  setText($("stamp"), STATE_NAMES[charge.state] ?? charge.state);

  setText($("pay"), `Pay ${satoshi(charge.amount)}`);
  show($("pay"), pending, $("invoice-title"));
  show($("expire"), pending, $("invoice-title"));
  if ($("request").value !== charge.payment_request) $("request").value = charge.payment_request;
  setTime($("invoice-created"), charge.created);
  const paid = charge.state === "paid";
  setText($("invoice-end-word"), paid ? "Paid" : pending ? "Expires" : "Expired");
  setTime($("invoice-end"), paid ? charge.updated : charge.expires);
  setText($("invoice-customer"), charge.customer_id ?? "");
  show($("customer-row"), charge.customer_id !== undefined);
  setText($("invoice-id"), charge.id);
  setText($("invoice-hash"), charge.payment_hash);
  setText($("invoice-preimage"), charge.preimage ?? "");
  show($("preimage-row"), charge.preimage !== undefined);
  setText($("invoice-curl"), `curl ${location.origin}${path}.txt`);
  show($("terminal-row"), pending);
}

async function create() {
  const digits = $("amount").value.replace(/[\s\u202f]/g, "");
  const isInvalid = !/^[0-9]{1,15}$/.test(digits);
  $("amount").ariaInvalid = String(isInvalid);
  if (isInvalid) {
    $("amount").focus();
    throw new Error("The amount must be a whole number of satoshis, such as 4200.");
  }
  const request = { amount: Number(digits), currency: "btc", description: $("description").value };
  if ($("expiry").value) request.expiry_sec = Number($("expiry").value);
  const charge = await send("charges", request);
  known.set(charge.id, charge);
  page = 0;
  $("amount").value = $("description").value = "";
  open(charge.id, false);
  announce(`Charge created: ${satoshi(charge.amount)}`);
}

// --- webhook deliveries ---

function createDeliveryRow(row, id) {
  const part = (name) => row.querySelector(`.${name}`);
  const path = `deliveries/${encodeURIComponent(id)}/send`;
  part("again").addEventListener("click", () => runAction(part("again"), part("problem"), () => send(path, {})));
}

function updateDeliveryRow(row, delivery) {
  const part = (name) => row.querySelector(`.${name}`);
  const attempts = `${delivery.attempts} ${delivery.attempts === 1 ? "attempt" : "attempts"}`;
  const outcome = delivery.error ?? (delivery.status === undefined ? undefined : `status ${delivery.status}`);
  setState(part("state"), delivery.state);
  setText(part("url"), delivery.url);
  setText(part("outcome"), [attempts, outcome, delivery.charge].filter((text) => text !== undefined).join(" · "));
  setTime(part("when"), delivery.state === "waiting" ? delivery.due : delivery.created);
  setText(part("again").querySelector(".visually-hidden"), ` for ${delivery.charge}`);
  show(part("again"), delivery.state !== "sending", $("deliveries-title"));
}

// --- loading ---

let isLoading = false;
let loadAgain = false;
let nextLoad;

/** Loads and shows everything now, or as soon as the current load has ended. */
async function refresh() {
  loadAgain = true;
  if (isLoading) return;
  isLoading = true;
  while (loadAgain) {
    loadAgain = false;
    try {
      await load();
      updateConnection({ problem: "" });
    } catch (error) {
      updateConnection({ problem: error.message });
      clearTimeout(nextLoad);
      nextLoad = setTimeout(refresh, RETRY_DELAY);
    }
    await pause(LOAD_INTERVAL);
  }
  isLoading = false;
}

const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

async function load() {
  const started = { page, openId };
  const [list, deliveries, account] = await Promise.all([
    send(`charges?page=${page}&size=${PAGE_SIZE}`),
    orNone(send(`deliveries?page=0&size=${DELIVERIES}`)),
    hasAccount ? undefined : send("account"),
  ]);
  if (account) updateAccount(account);
  const opened = list.charges.find((charge) => charge.id === openId)
    ?? (openId && (await orNone(send(`charges/${encodeURIComponent(openId)}`))));
  if (started.page !== page || started.openId !== openId) {
    loadAgain = true;
    return;
  }
  setClock(list.now);

  const last = Math.max(Math.ceil(list.total / PAGE_SIZE) - 1, 0);
  if (page > last) {
    page = last;
    loadAgain = true;
    return;
  }
  const all = new Map(list.charges.map((charge) => [charge.id, charge]));
  if (opened) all.set(opened.id, opened);
  const paid = [...all.values()].filter(({ id, state }) => state === "paid" && known.get(id)?.state === "pending");
  updateList($("charges"), rows.charges, list.charges, "charge-row", createChargeRow, updateChargeRow);
  known = all;
  if (paid.length === 1) announce(`Charge paid: ${satoshi(paid[0].amount)}`);
  else if (paid.length > 1) announce(`${paid.length} charges paid`);

  if (opened) updateInvoice(opened);
  else if (openId) {
    open(null);
    announce("The open charge no longer exists");
  }

  const first = page * PAGE_SIZE;
  const range = `${count.format(first + 1)}\u2013${count.format(first + list.charges.length)} of ${count.format(list.total)}`;
  setText($("count"), list.total > PAGE_SIZE ? range : list.total ? count.format(list.total) : "");
  show($("pages"), list.total > PAGE_SIZE, $("charges-title"));
  // Not `disabled`: a disabled button would lose the focus of a keyboard user.
  $("newer").ariaDisabled = String(page === 0);
  $("older").ariaDisabled = String(page === last);
  show($("none"), list.total === 0);

  show($("deliveries-section"), deliveries !== undefined && deliveries.deliveries.length > 0, $("charges-title"));
  if (deliveries) {
    const latest = deliveries.deliveries.slice(0, DELIVERIES);
    updateList($("deliveries"), rows.deliveries, latest, "delivery-row", createDeliveryRow, updateDeliveryRow);
    const total = deliveries.total ?? deliveries.deliveries.length;
    setText($("deliveries-count"), total > latest.length ? `the latest ${latest.length} of ${count.format(total)}` : "");
  }
  tick();

  // The server sends no event when a charge expires, so the page loads again when the next one is due.
  const due = [...all.values()].filter(({ state }) => state === "pending").map(({ expires }) => expires - now());
  clearTimeout(nextLoad);
  nextLoad = setTimeout(refresh, Math.min(Math.max(Math.min(...due), 0) + LOAD_INTERVAL, 3_600_000));
}

const connection = { hasEvents: false, problem: "" };

/** Shows whether the page is live, after a change of the connection's state. */
function updateConnection(change) {
  Object.assign(connection, change);
  const live = connection.hasEvents && !connection.problem;
  // After an interruption it may be another sandbox, with another key.
  if (!live) hasAccount = false;
  const before = $("link").dataset.link;
  $("link").dataset.link = live ? "live" : "lost";
  setText($("link"), live ? "Live" : "Not live");
  const problem = connection.problem || "Live updates are interrupted.";
  setText($("notice"), live ? "" : `${problem} Retrying.`);
  if (before === "lost" && live) announce("Connected again");
}

let events;
let reconnect;

/** Connects to the event stream while the page is visible. Browsers allow only a few connections per server. */
function connectEvents() {
  clearTimeout(reconnect);
  events?.close();
  if (document.visibilityState === "hidden") return;
  events = new EventSource("/sandbox/events");
  events.addEventListener("change", () => {
    connection.hasEvents = true;
    refresh();
  });
  events.addEventListener("error", () => {
    events.close();
    connection.hasEvents = false;
    refresh();
    reconnect = setTimeout(connectEvents, RETRY_DELAY);
  });
}

// --- controls ---

$("new").addEventListener("submit", (event) => {
  event.preventDefault();
  runAction($("new").querySelector("button"), $("new-problem"), create);
});
const invoiceActions = {
  pay: () => pay(openId),
  expire: () => send(`charges/${encodeURIComponent(openId)}/expire`, {}),
  copy: () => copy($("request"), $("copy"), "Payment request"),
};
for (const [id, action] of Object.entries(invoiceActions)) {
  $(id).addEventListener("click", () => runAction($(id), $("invoice-problem"), action));
}
$("copy-key").addEventListener("click", () => {
  runAction($("copy-key"), $("account-problem"), () => copy($("api-key"), $("copy-key"), "API key"));
});
$("request").addEventListener("focus", () => $("request").select());
$("close").addEventListener("click", () => {
  const row = rows.charges.get(openId);
  open(null);
  row?.querySelector(".show").focus();
});
for (const button of document.querySelectorAll("[data-advance]")) {
  const body = { advance_ms: Number(button.dataset.advance) };
  button.addEventListener("click", () => runAction(button, $("clock-problem"), () => send("clock", body)));
}
$("clock").addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  $("clock").open = false;
  $("clock").querySelector("summary").focus();
});
for (const [id, step] of [["newer", -1], ["older", 1]]) {
  $(id).addEventListener("click", () => {
    if ($(id).ariaDisabled === "true") return;
    page += step;
    refresh();
  });
}
document.addEventListener("visibilitychange", connectEvents);
window.addEventListener("pagehide", () => events?.close());
window.addEventListener("pageshow", (event) => event.persisted && connectEvents());

/** The id of the charge in the page's address, so that a reload opens it again. */
const idInAddress = () => /^#(ch_[0-9A-Za-z]{1,64})$/.exec(location.hash)?.[1];
window.addEventListener("hashchange", () => idInAddress() && open(idInAddress(), false));
openId = idInAddress() ?? null;
setText($("api"), `${location.origin}/api/v1/`);
setText($("base-url"), `${location.origin}/api/v1/`);
setInterval(tick, 1000);
connectEvents();
