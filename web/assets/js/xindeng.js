// What pages do better with JavaScript; each of them works without it.

// The summary of mistakes takes the focus, so that it is read first.
document.querySelector("[data-focus]")?.focus();

// A form is sent once: a second click on a busy button does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("data-many")) return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "yes";
  for (const button of form.querySelectorAll("button:not([type=button])")) button.setAttribute("aria-disabled", "true");
});
const forgetSent = (root) => {
  for (const form of root.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
  }
};
window.addEventListener("pageshow", () => forgetSent(document));
document.addEventListener("htmx:afterRequest", () => forgetSent(document));

// A polled part that has not changed is answered 304 and left alone (nothing is read aloud twice).
const tags = new Map();
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (detail.verb === "get" && tags.has(detail.path)) detail.headers["If-None-Match"] = tags.get(detail.path);
});
document.addEventListener("htmx:afterOnLoad", ({ detail }) => {
  const tag = detail.xhr.getResponseHeader("ETag");
  if (tag && detail.requestConfig.verb === "get") tags.set(detail.requestConfig.path, tag);
});

// When the line is down the page says so, and says it is over.
const line = document.querySelector("[data-line-down]");
const say = (down) => { if (line) line.hidden = !down; };
document.addEventListener("htmx:sendError", () => say(true));
document.addEventListener("htmx:afterOnLoad", () => say(false));

// Trays close on Escape and when attention goes elsewhere.
const trays = () => document.querySelectorAll("details.tray[open]");
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const tray of trays()) { tray.open = false; tray.querySelector("summary").focus(); }
});
document.addEventListener("click", (event) => {
  for (const tray of trays()) if (!tray.contains(event.target)) tray.open = false;
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
  const all = event.target.closest("[data-tick-all]");
  if (all) for (const box of document.querySelectorAll(`input[type=checkbox][name="${all.dataset.tickAll}"]`)) box.checked = all.checked;
});

// Tables on paper are open, whatever they are on the screen.
window.addEventListener("beforeprint", () => { for (const d of document.querySelectorAll(".chart details")) d.open = true; });
