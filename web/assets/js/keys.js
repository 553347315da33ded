// Answering a list without the mouse: ↑ ↓ Enter a r x ?; the same boxes, links and buttons as the mouse presses.

const list = document.querySelector("[data-keys]");
const help = document.querySelector("dialog[data-keys-help]");
const rows = () => [...document.querySelectorAll("[data-keys] tbody tr")];
const here = () => rows().find((row) => row.contains(document.activeElement));

// The line at hand is the one whose firm has the focus: where one stands is seen and read aloud.
const go = (row) => row?.querySelector("th a")?.focus();

const step = (by) => {
  const all = rows();
  const at = all.indexOf(here());
  go(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]);
};

const answer = (kind, row) => {
  const form = row.closest("form");
  const box = row.querySelector("input[name=line]");
  const ticked = form.querySelectorAll("input[name=line]:checked").length > 0;
  if (!ticked && !box) return;
  if (!ticked) box.checked = true;
  const button = form.querySelector(`button[name=kind][value=${kind}]`);
  const fold = button.closest("details");
  if (!fold) { form.requestSubmit(button); return; }
  fold.open = true;
  fold.querySelector("input, textarea")?.focus();
};

const acts = {
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  x: (row) => row?.querySelector("input[name=line]")?.click(),
  a: (row) => row && answer("received", row),
  r: (row) => row && answer("refused", row),
  "?": () => help.showModal(),
};

const isTyping = (target) => target.closest("textarea, select, [contenteditable], input:not([type=checkbox])") !== null;

if (list && help) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || isTyping(event.target) || help.open) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = acts[key];
    const row = here();
    // Arrows elsewhere scroll the page, as everywhere.
    if (!act || (key.startsWith("Arrow") && !row && document.activeElement !== document.body)) return;
    event.preventDefault();
    act(row);
  });
  const opener = document.querySelector("[data-keys-open]");
  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());
}
