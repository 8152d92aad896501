/* The little that the pages cannot do without script. Everything works without this file, less comfortably. */
"use strict";

document.documentElement.classList.add("sk-js");
/* Read by htmx when the page is complete. Nothing of ours needs eval, styles of its own or a history of its own. */
Object.assign(window.htmx?.config ?? {}, { includeIndicatorStyles: false, allowEval: false, historyEnabled: false, selfRequestsOnly: true });

/* ---- Copy buttons ---- */
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const icon = button.querySelector(".bi");
  icon.classList.replace("bi-copy", "bi-check-lg");
  say(button.dataset.copied);
  setTimeout(() => icon.classList.replace("bi-check-lg", "bi-copy"), 1500);
});

/* One polite voice for what has no place of its own on the page. */
function say(text) {
  document.getElementById("voice").textContent = text;
}

/* ---- Menus: Escape and a click elsewhere close them ---- */
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = event.target.closest?.(".sk-menu[open]") ?? document.querySelector(".sk-menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(".sk-menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

/* ---- Live parts ---- */
/* Nobody looks: no poll. htmx asks again at the next beat. */
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.detail.elt.matches("[hx-trigger^='every']")) event.preventDefault();
});
/* A refreshed part must not close the fold or menu that somebody just opened, nor take the focus from a tick box. */
if (window.Idiomorph) {
  Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) =>
    !(name === "open" && node.tagName === "DETAILS") && !(name === "disabled" && node.name === "vm");
}
/* ---- The list of servers ---- */
const ticks = () => [...document.querySelectorAll(".sk-vms tbody [name=vm]")];
const countTicks = () => {
  const all = document.querySelector("[data-pick-all]");
  if (!all) return;
  const ticked = ticks().filter((box) => box.checked).length;
  all.parentElement.hidden = false;
  all.checked = ticked > 0 && ticked === ticks().length;
  all.indeterminate = ticked > 0 && !all.checked;
  document.querySelector("[data-picked]").textContent = ticked;
};
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-pick-all]")) ticks().forEach((box) => (box.checked = event.target.checked));
  countTicks();
});
document.addEventListener("reset", () => setTimeout(countTicks));
/* Where its rows are folded into cards, older browsers forget that it is a table. */
const roles = { table: "table", "thead, tbody": "rowgroup", tr: "row", td: "cell", "thead th": "columnheader", "tbody th": "rowheader" };
const nameCells = () => {
  const table = document.querySelector(".sk-vms");
  if (!table) return;
  for (const [what, role] of Object.entries(roles)) {
    [table, ...table.querySelectorAll("*")].filter((part) => part.matches(what)).forEach((part) => (part.role = role));
  }
};
/* A refreshed table may have its rows in another order: what was ticked is found again by the server's id. */
let ticked = new Set();
const giveIds = () => {
  for (const box of ticks()) {
    box.value = box.parentElement.querySelector("a").pathname.split("/").pop();
    box.disabled = false;
  }
};
document.addEventListener("htmx:beforeSwap", () => (ticked = new Set(ticks().filter((box) => box.checked).map((box) => box.value))));
const dressTable = () => {
  giveIds();
  for (const box of ticks()) box.checked = ticked.has(box.value);
  countTicks();
  nameCells();
};
document.addEventListener("htmx:afterSettle", dressTable);
giveIds();
countTicks();
nameCells();
/* Elapsed times tick between the answers. */
setInterval(() => {
  for (const time of document.querySelectorAll("time[data-since]")) {
    const s = Math.max(0, Math.floor((Date.now() - Date.parse(time.dataset.since)) / 1000));
    const two = (number) => String(number).padStart(2, "0");
    const hours = Math.floor(s / 3600);
    time.textContent = (hours ? `${hours}:` : "") + `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  }
}, 1000);

/* ---- The result of what somebody did gets the focus ---- */
document.querySelector("[data-focus]")?.focus();

/* ---- A slider and its number say the same; before any other listener hears of it ---- */
document.addEventListener("input", (event) => {
  const box = event.target.closest("[data-slider]");
  if (!box) return;
  const range = box.querySelector("input[type=range]"), number = box.querySelector("input[type=text]");
  if (event.target === range) number.value = range.value;
  else range.value = number.value;
}, true);

/* ---- Create page: sliders beside numbers, bounds of the chosen template, summary ---- */
const create = document.querySelector("form[data-create]");
if (create) {
  const number = (name) => create.elements.namedItem(name);
  const slider = (name) => create.querySelector(`[data-slider="${name}"] input[type=range]`);
  const names = ["cpu_count", "memory_gb", "disk_gb"];

  const summarize = () => {
    const card = create.querySelector("[name=template_id]:checked")?.closest("label");
    const whole = card?.querySelector("[data-whole]")?.dataset.whole;
    const size = whole ? [whole] : names.map((name) => `${number(name).value} ${create.querySelector(`[data-slider="${name}"] .sk-unit span`).textContent}`);
    const fill = (what, text) => create.querySelectorAll(what).forEach((place) => (place.textContent = text));
    fill("[data-sum-size]", [card?.querySelector("b").textContent, ...size].filter(Boolean).join(", "));
    fill("[data-sum-name]", number("vm_name").value || create.dataset.unnamed);
  };

  /* Parts that belong to a choice show only with it; what several servers of a template have is not to be chosen. */
  const showParts = () => {
    const template = create.querySelector("[name=template_id]:checked")?.value;
    let several = false;
    for (const part of create.querySelectorAll("[data-machines]")) {
      part.hidden = part.dataset.machines !== template;
      several ||= !part.hidden;
    }
    if (several && number("place")) number("place").value = "new"; // the only place for them
    for (const part of create.querySelectorAll("[data-one]")) part.hidden = several;
    const place = number("place")?.value ?? "new";
    for (const part of create.querySelectorAll("[data-place]")) part.hidden = part.dataset.place !== place;
    create.querySelector("[data-own-password]").hidden = number("password_choice").value !== "own";
  };

  const bound = (offer) => {
    for (const name of names) {
      const range = slider(name), limits = offer[name], box = range.closest(".sk-slider");
      range.min = limits.least;
      range.max = limits.most;
      if (!(number(name).value >= limits.least && number(name).value <= limits.most)) number(name).value = limits.least;
      range.value = number(name).value;
      box.querySelector(".sk-lock").setAttribute("width", `${limits.locked}%`);
      const [least, most] = box.querySelectorAll(".sk-bounds span");
      least.textContent = limits.least_text;
      most.textContent = limits.most_text;
    }
  };

  create.addEventListener("input", (event) => {
    if (event.target.name === "template_id") bound(JSON.parse(event.target.dataset.offer));
    if (event.target.matches("[data-naming]")) document.getElementById(`${event.target.id}-error`)?.remove();
    showParts();
    summarize();
  });

  showParts();
  summarize();
}
