// What can be measured on an open page: each measure gives the places that are at fault, in words (measures.py names them).
const clipsAll = (one) => {
  for (let at = one; at; at = at.parentElement) if (getComputedStyle(at).clip !== "auto") return true;
  return false;
};
const seen = (one) => {
  const { width, height } = one.getBoundingClientRect();
  return width > 0 && height > 0 && getComputedStyle(one).visibility !== "hidden"
    && !one.closest(".visually-hidden, .skip, [hidden]") && !clipsAll(one);
};
const every = (selector) => [...document.querySelectorAll(selector)].filter(seen);
const wordsOf = (one) => (one.innerText || one.name || "").trim().replace(/\s+/g, " ").slice(0, 24);
const named = (one) => {
  const classes = typeof one.className === "string" ? one.className.trim().split(/\s+/).filter(Boolean) : [];
  return [one.tagName.toLowerCase() + (one.id ? `#${one.id}` : ""), ...classes].join(".") + ` “${wordsOf(one)}”`;
};

// A checkbox is as large as its words, a link that covers its row as large as the row.
const pressed = (one) => {
  const boxes = [one.getBoundingClientRect()];
  if (one.matches("[type=checkbox], [type=radio]")) {
    for (const words of one.labels) boxes.push((words.closest(".pick") || words).getBoundingClientRect());
  }
  const after = getComputedStyle(one, "::after");
  if (one.tagName === "A" && after.position === "absolute" && after.content !== "none") {
    boxes.push((one.closest(".tasks > li, .card, .pick") || one).getBoundingClientRect());
  }
  const [left, top] = [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))];
  const [right, bottom] = [Math.max(...boxes.map((box) => box.right)), Math.max(...boxes.map((box) => box.bottom))];
  return { left, top, right, bottom, least: Math.min(right - left, bottom - top) };
};
const isInSentence = (one) => one.matches("a, summary, .btn-link-plain")
  && getComputedStyle(one).display.startsWith("inline")
  && [...one.parentElement.childNodes].some((node) => node !== one && node.nodeType === Node.TEXT_NODE && node.data.trim());

const measures = {
  // What sticks out of the window; a table may scroll within its own box.
  sideways() {
    const most = document.documentElement.clientWidth;
    const excess = document.documentElement.scrollWidth - most;
    if (excess <= 0) return [];
    const out = every("body *").filter((one) => !one.parentElement.closest(".table-box"))
      .filter((one) => one.getBoundingClientRect().right > most + 1);
    const innermost = out.filter((one) => !out.some((other) => other !== one && one.contains(other)));
    return [`${excess} px wider than ${most}: ${innermost.slice(0, 3).map(named).join(", ")}`];
  },

  // WCAG 1.4.12: the spacing a reader may set.
  spaced() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`p { margin-bottom: 2em !important }
      * { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }`);
    document.adoptedStyleSheets = [sheet];
    const hides = (one, way) => ["hidden", "clip"].includes(getComputedStyle(one)[`overflow${way}`]);
    const cut = every("body *").filter((one) => one.innerText?.trim()).filter((one) =>
      (hides(one, "X") && one.scrollWidth > one.clientWidth + 1) || (hides(one, "Y") && one.scrollHeight > one.clientHeight + 1));
    const found = [...cut.map((one) => `cut off: ${named(one)}`), ...measures.sideways()];
    document.adoptedStyleSheets = [];
    return found;
  },

  moving() {
    return document.getAnimations().filter((one) => one.effect.getComputedTiming().activeDuration > 10)
      .map((one) => `moves: ${named(one.effect.target)}`);
  },

  bare() {
    return every(".btn:not(.btn-link-plain), .form-control, .form-select, .form-check-input, .light, .notice")
      .filter((one) => parseFloat(getComputedStyle(one).borderTopWidth) === 0).map((one) => `no edge: ${named(one)}`);
  },

  lowLines() {
    const found = new Map();
    for (const one of every("body *")) {
      if (one.closest("[aria-hidden=true]")) continue;
      if (![...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim())) continue;
      const style = getComputedStyle(one);
      const height = parseFloat(style.lineHeight) / parseFloat(style.fontSize);
      if (height < 1.299) found.set(one.tagName + one.className, `lines ${height.toFixed(2)} high: ${named(one)}`);
    }
    return [...found.values()];
  },

  // Under 24 px is no fault in a sentence, or where a circle of 24 px on its middle meets no other target (WCAG 2.5.8).
  smallTargets(least) {
    const all = every("a[href], button, input:not([type=hidden]), select, textarea, summary").map((one) => [one, pressed(one)]);
    const isAlone = (one, box) => all.every(([other, theirs]) => {
      if (other === one || one.contains(other) || other.contains(one)) return true;
      const [x, y] = [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
      return Math.hypot(Math.max(theirs.left - x, 0, x - theirs.right), Math.max(theirs.top - y, 0, y - theirs.bottom)) >= 12;
    });
    return all.filter(([one, box]) => box.least < least - 0.5 && !isInSentence(one) && !(least === 24 && isAlone(one, box)))
      .map(([one, box]) => `${Math.round(box.right - box.left)} × ${Math.round(box.bottom - box.top)}: ${named(one)}`);
  },

  // Where the focus is: its ring, whether it is in sight and on top, and whether it was here before.
  stop() {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    const [left, right] = [Math.max(box.left, 0), Math.min(box.right, innerWidth)];
    const [top, bottom] = [Math.max(box.top, 0), Math.min(box.bottom, innerHeight)];
    const faults = [];
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) faults.push(`no ring: ${named(one)}`);
    if (right - left < Math.min(box.width, 8) || bottom - top < Math.min(box.height, 8)) {
      faults.push(`out of sight: ${named(one)}`);
    } else {
      const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      if (above && !one.contains(above) && !above.contains(one) && above.closest("label")?.control !== one) {
        faults.push(`behind ${named(above)}: ${named(one)}`);
      }
    }
    window.stops ??= new Set();
    const again = window.stops.has(one);
    window.stops.add(one);
    return { faults, again };
  },

  // Whether the focus is on what is wanted: a selector, or text=the words of something in the main part.
  isOn(wanted) {
    const one = document.activeElement;
    if (!wanted.startsWith("text=")) return one.matches(wanted);
    return one.closest("main") !== null && wordsOf(one).startsWith(wanted.slice(5).slice(0, 24));
  },
};
