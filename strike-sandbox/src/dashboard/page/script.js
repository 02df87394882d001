// Fills the page: shows what the routes below /sandbox/ answer, and asks again after each change.
// Whatever a charge or a server says is set as text (textContent), never as markup.

const PAGE_SIZE = 25;
const DELIVERIES = 10;
/** The least time between two askings, however many changes there are. */
const GAP = 250;
/** How long after a lost connection the next is tried. */
const RETRY = 1000;

const $ = (id) => document.getElementById(id);
const count = new Intl.NumberFormat("en");
const satoshi = (amount) => `${count.format(amount)}\u00a0sat`;
const WORDS = { pending: "Pending", paid: "Paid", expired: "Expired" };

let page = 0;
/** The id of the charge that is shown large, if one is. */
let chosen = null;
/** What was last shown of each charge, to tell what has become of it. */
let known = new Map();
const rows = { charges: new Map(), deliveries: new Map() };

// --- asking ---

/** Asks the sandbox; with a body it is a POST. An error's message is for people. */
async function ask(path, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(`/sandbox/${path}`, { signal: AbortSignal.timeout(15_000), ...(body && post) });
  } catch {
    throw new Error("The sandbox does not answer. Is it still running?");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const refusal = new Error(answer.message ?? `The sandbox refused, with status ${response.status}.`);
  refusal.status = response.status;
  throw refusal;
}

/** The answer, or nothing if there is no such thing. */
const ifAny = (answer) => answer.catch((error) => {
  if (error.status !== 404) throw error;
});

/** Does what a button says: once at a time, and with what goes wrong as text beside it. */
async function act(button, problem, what) {
  if (button.ariaBusy === "true") return;
  button.ariaBusy = "true";
  say(problem, "");
  try {
    await what();
  } catch (error) {
    say(problem, error.message);
  } finally {
    button.ariaBusy = "false";
    refresh();
  }
}

// --- the sandbox's clock, as far as it is known here ---

const clock = { now: 0, read: 0, runs: true };

function learn(now) {
  const read = performance.now();
  // A sandbox's clock may stand still until it is moved.
  if (clock.read && read - clock.read > 20) clock.runs = now - clock.now > (read - clock.read) / 2;
  Object.assign(clock, { now, read });
}

const now = () => clock.now + (clock.runs ? performance.now() - clock.read : 0);

/** A span of time in its largest unit. */
function span(ms) {
  const units = [[86_400_000, "d"], [3_600_000, "h"], [60_000, "min"], [1000, "s"]];
  const [size, name] = units.find(([size]) => ms >= size) ?? units[3];
  return `${Math.floor(Math.max(ms, 0) / size)}\u00a0${name}`;
}

function relative(ms) {
  const ago = now() - ms;
  if (ago < 0) return `in ${span(-ago + 999)}`;
  return ago < 2000 ? "just now" : `${span(ago)} ago`;
}

/** Gives a <time> a moment; `tick` keeps its words true. */
function setTime(element, ms) {
  const moment = new Date(ms);
  if (element.dataset.ms === String(ms)) return;
  element.dataset.ms = ms;
  element.dateTime = moment.toISOString();
  element.title = `${moment.toLocaleString()} (${moment.toISOString()})`;
  say(element, relative(ms));
}

function tick() {
  for (const element of document.querySelectorAll("time[data-ms]")) say(element, relative(Number(element.dataset.ms)));
  if (clock.read) say($("clock-time"), `${new Date(now()).toISOString().slice(11, 19)}\u00a0UTC`);
}

// --- small things ---

/** Sets a text, unless it is there already: a screen reader would read it again. */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Tells people who see the page and those who hear it. */
function announce(text) {
  clearTimeout(announce.timer);
  // The same words a second time are heard only if there were none in between.
  say($("status"), "");
  announce.timer = setTimeout(() => {
    say($("status"), text);
    announce.timer = setTimeout(() => say($("status"), ""), 8000);
  }, 50);
}

/** Hides or shows; the focus does not go down with what is hidden. */
function show(element, visible, heir) {
  if (!visible && element.contains(document.activeElement)) heir?.focus();
  element.hidden = !visible;
}

function setState(element, state) {
  element.dataset.state = state;
  say(element, WORDS[state] ?? state);
}

/** The words in a charge; some have none. */
function setDescription(element, charge) {
  element.classList.toggle("wordless", charge.description.trim() === "");
  say(element, charge.description.trim() === "" ? "no description" : charge.description);
}

/** Makes a list's rows those of `items`: each keeps its element, and so its focus, for as long as it is shown. */
function fill(list, kept, items, template, make, update) {
  const ids = new Set(items.map((item) => item.id));
  for (const [id, row] of kept) {
    if (ids.has(id)) continue;
    if (row.contains(document.activeElement)) list.closest("section").querySelector("h2").focus();
    row.remove();
    kept.delete(id);
  }
  let place = list.firstElementChild;
  for (const item of items) {
    let row = kept.get(item.id);
    if (!row) {
      row = $(template).content.firstElementChild.cloneNode(true);
      kept.set(item.id, row);
      make(row, item.id);
    }
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
    update(row, item);
  }
}

// --- charges ---

function makeCharge(row, id) {
  const part = (name) => row.querySelector(`.${name}`);
  part("show").addEventListener("click", () => choose(id, true));
  part("pay").addEventListener("click", () => act(part("pay"), part("problem"), () => pay(id)));
}

function updateCharge(row, charge) {
  const part = (name) => row.querySelector(`.${name}`);
  if (known.get(charge.id)?.state === "pending" && charge.state === "paid") row.classList.add("news");
  setState(part("state"), charge.state);
  setDescription(part("what"), charge);
  say(part("amount"), satoshi(charge.amount));
  setTime(part("when"), charge.created);
  say(part("pay").querySelector(".unseen"), ` ${satoshi(charge.amount)}`);
  show(part("pay"), charge.state === "pending", part("show"));
  part("show").ariaCurrent = String(charge.id === chosen);
}

const pay = (id) => ask(`charges/${encodeURIComponent(id)}/pay`, {});

/** Shows a charge large. */
function choose(id, byHand) {
  chosen = id;
  history.replaceState(null, "", id ? `#${id}` : location.pathname);
  for (const [other, row] of rows.charges) row.querySelector(".show").ariaCurrent = String(other === id);
  const charge = known.get(id);
  if (charge) updateInvoice(charge);
  else if (id) refresh();
  else show($("invoice"), false, $("charges-title"));
  if (charge && byHand) {
    $("invoice-title").focus({ preventScroll: true });
    $("invoice").scrollIntoView({ block: "nearest" });
  }
}

function updateInvoice(charge) {
  const pending = charge.state === "pending";
  if ($("invoice").dataset.id !== charge.id) {
    $("invoice").dataset.id = charge.id;
    say($("invoice-problem"), "");
    say($("copy"), "Copy");
  }
  show($("invoice"), true);
  say($("invoice-title"), satoshi(charge.amount));
  setState($("invoice-state"), charge.state);
  setDescription($("invoice-description"), charge);

  const path = `/sandbox/charges/${encodeURIComponent(charge.id)}/qr`;
  if (pending && $("qr").getAttribute("src") !== `${path}.svg`) {
    $("qr").src = `${path}.svg`;
    $("qr").alt = `QR code of the payment request for ${satoshi(charge.amount)}`;
  }
  // What cannot be paid is not held out to be scanned.
  show($("code"), pending);
  show($("stamp"), !pending);
  $("stamp").dataset.state = charge.state;
  say($("stamp"), WORDS[charge.state] ?? charge.state);

  say($("pay"), `Pay ${satoshi(charge.amount)}`);
  show($("pay"), pending, $("invoice-title"));
  show($("expire"), pending, $("invoice-title"));
  if ($("request").value !== charge.payment_request) $("request").value = charge.payment_request;
  setTime($("invoice-created"), charge.created);
  const paid = charge.state === "paid";
  say($("invoice-end-word"), paid ? "Paid" : pending ? "Expires" : "Expired");
  setTime($("invoice-end"), paid ? charge.updated : charge.expires);
  say($("invoice-customer"), charge.customer_id ?? "");
  show($("customer-row"), charge.customer_id !== undefined);
  say($("invoice-id"), charge.id);
  say($("invoice-hash"), charge.payment_hash);
  say($("invoice-preimage"), charge.preimage ?? "");
  show($("preimage-row"), charge.preimage !== undefined);
  say($("invoice-curl"), `curl ${location.origin}${path}.txt`);
  show($("terminal-row"), pending);
}

async function create() {
  const digits = $("amount").value.replace(/[\s\u202f]/g, "");
  const wrong = !/^[0-9]{1,15}$/.test(digits);
  $("amount").ariaInvalid = String(wrong);
  if (wrong) {
    $("amount").focus();
    throw new Error("The amount is a whole number of satoshi, such as 4200.");
  }
  const wanted = { amount: Number(digits), currency: "btc", description: $("description").value };
  if ($("expiry").value) wanted.expiry_sec = Number($("expiry").value);
  const charge = await ask("charges", wanted);
  known.set(charge.id, charge);
  page = 0;
  $("amount").value = $("description").value = "";
  choose(charge.id, false);
  announce(`Charge created: ${satoshi(charge.amount)}`);
}

async function copy() {
  const request = $("request");
  try {
    await navigator.clipboard.writeText(request.value);
  } catch {
    // Over plain HTTP from another machine there is no such clipboard.
    request.select();
    if (!document.execCommand("copy")) throw new Error("The browser does not copy: the text is selected, copy it by hand.");
    $("copy").focus();
  }
  say($("copy"), "Copied");
  announce("Payment request copied");
}

// --- deliveries ---

function makeDelivery(row, id) {
  const part = (name) => row.querySelector(`.${name}`);
  const path = `deliveries/${encodeURIComponent(id)}/send`;
  part("again").addEventListener("click", () => act(part("again"), part("problem"), () => ask(path, {})));
}

function updateDelivery(row, delivery) {
  const part = (name) => row.querySelector(`.${name}`);
  const attempts = `${delivery.attempts} ${delivery.attempts === 1 ? "attempt" : "attempts"}`;
  const outcome = delivery.error ?? (delivery.status === undefined ? undefined : `status ${delivery.status}`);
  setState(part("state"), delivery.state);
  say(part("url"), delivery.url);
  say(part("outcome"), [attempts, outcome, delivery.charge].filter((it) => it !== undefined).join(" · "));
  setTime(part("when"), delivery.state === "waiting" ? delivery.due : delivery.created);
  say(part("again").querySelector(".unseen"), ` for ${delivery.charge}`);
  show(part("again"), delivery.state !== "sending", $("deliveries-title"));
}

// --- keeping up ---

let asking = false;
let askAgain = false;
let askLater;

/** Asks for what is shown, and shows it: at once, or after what is being asked already. */
async function refresh() {
  askAgain = true;
  if (asking) return;
  asking = true;
  while (askAgain) {
    askAgain = false;
    try {
      await load();
      link({ problem: "" });
    } catch (error) {
      link({ problem: error.message });
      clearTimeout(askLater);
      askLater = setTimeout(refresh, RETRY);
    }
    await pause(GAP);
  }
  asking = false;
}

const pause = (ms) => new Promise((resume) => setTimeout(resume, ms));

async function load() {
  const wanted = { page, chosen };
  const [list, deliveries] = await Promise.all([
    ask(`charges?page=${page}&size=${PAGE_SIZE}`),
    ifAny(ask(`deliveries?page=0&size=${DELIVERIES}`)),
  ]);
  const shown = list.charges.find((charge) => charge.id === chosen)
    ?? (chosen && (await ifAny(ask(`charges/${encodeURIComponent(chosen)}`))));
  if (wanted.page !== page || wanted.chosen !== chosen) {
    askAgain = true;
    return;
  }
  learn(list.now);

  const last = Math.max(Math.ceil(list.total / PAGE_SIZE) - 1, 0);
  if (page > last) {
    page = last;
    askAgain = true;
    return;
  }
  const all = new Map(list.charges.map((charge) => [charge.id, charge]));
  if (shown) all.set(shown.id, shown);
  const paid = [...all.values()].filter(({ id, state }) => state === "paid" && known.get(id)?.state === "pending");
  fill($("charges"), rows.charges, list.charges, "charge-row", makeCharge, updateCharge);
  known = all;
  if (paid.length === 1) announce(`Charge paid: ${satoshi(paid[0].amount)}`);
  else if (paid.length > 1) announce(`${paid.length} charges paid`);

  if (shown) updateInvoice(shown);
  else if (chosen) {
    choose(null);
    announce("The sandbox no longer has the charge that was shown");
  }

  const first = page * PAGE_SIZE;
  const range = `${count.format(first + 1)}\u2013${count.format(first + list.charges.length)} of ${count.format(list.total)}`;
  say($("count"), list.total > PAGE_SIZE ? range : list.total ? count.format(list.total) : "");
  show($("pages"), list.total > PAGE_SIZE, $("charges-title"));
  // Not `disabled`: a button must not lose the focus of whoever is turning pages with it.
  $("newer").ariaDisabled = String(page === 0);
  $("older").ariaDisabled = String(page === last);
  show($("none"), list.total === 0);

  show($("deliveries-section"), deliveries !== undefined && deliveries.deliveries.length > 0, $("charges-title"));
  if (deliveries) {
    const latest = deliveries.deliveries.slice(0, DELIVERIES);
    fill($("deliveries"), rows.deliveries, latest, "delivery-row", makeDelivery, updateDelivery);
    const total = deliveries.total ?? deliveries.deliveries.length;
    say($("deliveries-count"), total > latest.length ? `the latest ${latest.length} of ${count.format(total)}` : "");
  }
  tick();

  // No event tells that time has passed: the page asks when the next of its charges is due to expire.
  const due = [...all.values()].filter(({ state }) => state === "pending").map(({ expires }) => expires - now());
  clearTimeout(askLater);
  askLater = setTimeout(refresh, Math.min(Math.max(Math.min(...due), 0) + GAP, 3_600_000));
}

const connection = { follows: false, problem: "" };

/** Says whether the page is live, given what is new about that. */
function link(news) {
  Object.assign(connection, news);
  const live = connection.follows && !connection.problem;
  const before = $("link").dataset.link;
  $("link").dataset.link = live ? "live" : "lost";
  say($("link"), live ? "Live" : "Not live");
  const problem = connection.problem || "Changes are not shown as they happen.";
  say($("notice"), live ? "" : `${problem} Trying again.`);
  if (before === "lost" && live) announce("Connected again");
}

let events;
let followLater;

/** Follows the changes, for as long as the page is seen: a browser has few connections to one server. */
function follow() {
  clearTimeout(followLater);
  events?.close();
  if (document.visibilityState === "hidden") return;
  events = new EventSource("/sandbox/events");
  events.addEventListener("change", () => {
    connection.follows = true;
    refresh();
  });
  events.addEventListener("error", () => {
    events.close();
    connection.follows = false;
    refresh();
    followLater = setTimeout(follow, RETRY);
  });
}

// --- the page's own controls ---

$("new").addEventListener("submit", (event) => {
  event.preventDefault();
  act($("new").querySelector("button"), $("new-problem"), create);
});
const invoice = { pay: () => pay(chosen), expire: () => ask(`charges/${encodeURIComponent(chosen)}/expire`, {}), copy };
for (const [id, what] of Object.entries(invoice)) {
  $(id).addEventListener("click", () => act($(id), $("invoice-problem"), what));
}
$("request").addEventListener("focus", () => $("request").select());
$("close").addEventListener("click", () => {
  const row = rows.charges.get(chosen);
  choose(null);
  row?.querySelector(".show").focus();
});
for (const button of document.querySelectorAll("[data-advance]")) {
  const move = { advance_ms: Number(button.dataset.advance) };
  button.addEventListener("click", () => act(button, $("clock-problem"), () => ask("clock", move)));
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
document.addEventListener("visibilitychange", follow);
window.addEventListener("pagehide", () => events?.close());
window.addEventListener("pageshow", (event) => event.persisted && follow());

/** The charge that the address names, so that a page loaded again shows the same. */
const named = () => /^#(ch_[0-9A-Za-z]{1,64})$/.exec(location.hash)?.[1];
window.addEventListener("hashchange", () => named() && choose(named(), false));
chosen = named() ?? null;
say($("base"), `${location.origin}/api/v1/`);
setInterval(tick, 1000);
follow();
