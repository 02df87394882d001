// Keeps the checkout page up to date. Without this script, the page reloads itself.
"use strict";

const status = document.querySelector("#status");
let order;
let end;

// Shows a version of the order: the one in the page, or one that the server has sent.
function show(next) {
  const hadFocus = order?.contains(document.activeElement);
  if (order) {
    order.replaceWith(next);
    status.textContent = next.dataset.status;
    status.className = next.dataset.class;
  }
  order = next;
  end = performance.now() + Number(order.querySelector("#left")?.dataset.left);
  order.querySelector("#copy")?.removeAttribute("hidden");
  if (hadFocus) order.querySelector("h1").focus();
}

function listen() {
  const events = new EventSource(order.dataset.events);
  events.onmessage = ({ data }) => {
    const template = document.createElement("template");
    template.innerHTML = data;
    const next = template.content.firstElementChild;
    if (next.dataset.version !== order.dataset.version) show(next);
    if (next.dataset.class === "paid") events.close();
  };
  // The browser connects again by itself, except after an HTTP error, such as that of a proxy.
  events.onerror = () => {
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
}

// Counts down from what the server said, because the clock of this device may be wrong.
function countDown() {
  const left = order.querySelector("#left");
  const seconds = Math.max(0, Math.floor((end - performance.now()) / 1000));
  if (left) left.textContent = `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

async function copy() {
  const request = order.querySelector("#request");
  const copied = order.querySelector("#copied");
  try {
    await navigator.clipboard.writeText(request.value);
    copied.textContent = "Copied";
  } catch {
    // Browsers allow it only over https and on this machine.
    request.select();
    copied.textContent = "Now copy the selected text";
  }
}

show(document.querySelector("#order"));
if (order.dataset.class !== "paid") listen();
setInterval(countDown, 1000);
document.addEventListener("click", ({ target }) => {
  if (target.closest("#copy")) copy();
});
