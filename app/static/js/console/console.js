/* The page of a console: opens the screen whose five values stand on it, and asks the panel again when it was lost.

   Every opening is a POST of the form [data-open]; the answer is the whole page, of which <main> is taken: either the
   values of a screen or an explanation with its buttons. So the panel says everything that is to be said. */

import { chord, typing } from "./keys.js";

const NO_ANSWER_MS = 15_000; // WMKS says nothing when a handshake goes wrong
const PAUSES_S = [1, 2, 4, 8, 15]; // between attempts to come back
const TYPING_MS = 15; // between two characters: a guest that boots has a small buffer
const WAY_OUT = "F10"; // with Ctrl and Alt: all other keys belong to the server

const $ = (selector) => document.querySelector(selector);
const state = { screen: null, since: 0, size: "", attempt: 0, timer: 0, typing: false, whole: true };

/* ---- What is said at the foot ---- */
function say(name, values = {}) {
  const text = $(`[data-say="${name}"]`).textContent;
  $("#status").textContent = text.replace(/\{(\w+)\}/g, (_all, key) => values[key]);
}

const clock = (s) => [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60].map((n) => String(n).padStart(2, "0")).join(":").replace(/^00:/, "");

setInterval(() => {
  const time = $("#time");
  time.textContent = state.since ? clock(Math.floor((Date.now() - state.since) / 1000)) : "";
  $("#size").textContent = state.since ? state.size : "";
}, 1000);

/* ---- Opening and losing the screen ---- */
function use(on) {
  for (const control of document.querySelectorAll("[data-needs-screen]")) control.disabled = !on;
  for (const part of document.querySelectorAll("[data-with-screen]")) part.inert = !on;
  if (!on) document.querySelectorAll(".sk-console .sk-menu[open]").forEach((menu) => (menu.open = false));
}

function drop() {
  clearTimeout(state.timer);
  const { screen } = state;
  Object.assign(state, { screen: null, since: 0, size: "", typing: false });
  use(false);
  screen?.close();
}

async function open() {
  const { scheme, host, port, ticket, vmx, client, files } = $("#main").dataset;
  if (!ticket) return explained();
  drop();
  say("connecting");
  const attempt = {}; // what an earlier screen still reports is nothing to us
  state.current = attempt;
  const mine = (act) => (...values) => state.current === attempt && act(...values);
  const on = {
    connected: mine(connected),
    size: mine((width, height) => (state.size = `${width} × ${height}`)),
    closed: mine(lost),
    failed: mine(() => lost(1006)),
  };
  state.timer = setTimeout(mine(() => lost(1006)), NO_ANSWER_MS);
  try {
    const { open: openScreen } = await import(`./${client}.js`);
    const address = `${scheme}://${host}/${port};${ticket}`;
    const screen = await openScreen($("#screen"), { address, vmx, files: files.split(" "), on });
    if (state.current === attempt) state.screen = screen;
    else screen.close();
  } catch (error) {
    console.warn(error);
    if (state.current === attempt) missing();
  }
}

function connected() {
  clearTimeout(state.timer);
  Object.assign(state, { since: Date.now(), attempt: 0 });
  say("connected");
  use(true);
  state.screen?.fit(state.whole);
  state.screen?.focus();
}

/* What passes is tried again; of the rest the panel knows why, by the code (app/console_gateway). */
const PASSING = [1001, 1005, 1006, 1011, 1012, 1013, 4502, 4504];

function lost(code) {
  state.current = null;
  drop();
  if (!PASSING.includes(code) || state.attempt >= PAUSES_S.length) return ask({ closed: code });
  const pause_s = PAUSES_S[state.attempt++];
  say("again", { seconds: pause_s });
  state.timer = setTimeout(() => ask({}), pause_s * 1000);
}

function missing() {
  state.current = null;
  drop();
  say("missing");
  $("#main").replaceChildren($("#sdk-missing").content.cloneNode(true));
}

/* Nothing to connect to: the page says why, and some reasons pass by themselves. What became of a screen that ended is
   asked a few times only: by then the panel has read whether the server went off. */
function explained() {
  state.current = null;
  drop();
  say("closed");
  const { againS, closed } = $("#main").dataset;
  if (againS && (!closed || state.attempt++ < PAUSES_S.length)) {
    state.timer = setTimeout(() => ask(closed ? { closed } : {}), againS * 1000);
  }
  $("#main [autofocus]")?.focus();
}

/* Ask the panel for a screen; whatever it answers is shown. */
async function ask(values, form = $("form[data-open]")) {
  drop();
  say(values.closed ? "closed" : "asking");
  const body = new FormData(form);
  for (const [name, value] of Object.entries(values)) body.set(name, value);
  try {
    const answer = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(NO_ANSWER_MS) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.querySelector(".sk-console #main")) return location.assign(location.pathname); // signed out, or refused
    page.querySelectorAll("noscript").forEach((part) => part.remove()); // a parser runs no scripts, so it fills these
    for (const part of ["#main", "#state"]) $(part).replaceWith(document.adoptNode(page.querySelector(part)));
    await open();
  } catch (error) {
    console.warn(error);
    lost(1006); // the panel itself is away
  }
}

/* ---- The bar ---- */
function press(names) {
  state.screen?.press(chord(names));
  document.querySelectorAll(".sk-menu[open]").forEach((menu) => (menu.open = false));
  state.screen?.focus();
}

async function type(text) {
  const chords = typing(text);
  const unknown = [...new Set([...text].filter((_one, place) => !chords[place]))].join(" ");
  $("#untyped").hidden = !unknown;
  $("#untyped b").textContent = unknown;
  if (unknown) return;
  $("#text").closest("details").open = false;
  state.typing = true;
  state.screen.focus();
  for (const keys of chords) {
    if (!state.typing) return;
    state.screen.press(keys);
    await new Promise((resolve) => setTimeout(resolve, TYPING_MS));
  }
  state.typing = false;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.keys) press(button.dataset.keys);
  if (button?.matches("[data-fit]")) {
    state.whole = !state.whole;
    button.setAttribute("aria-pressed", state.whole);
    state.screen?.fit(state.whole);
    state.screen?.focus();
  }
  if (button?.matches("[data-full]")) {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen().then(() => state.screen?.focus());
  }
  for (const menu of document.querySelectorAll(".sk-menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-send]")) {
    event.preventDefault();
    type(form.elements.text.value);
  } else if (form.action === $("form[data-open]").action) {
    event.preventDefault();
    state.attempt = 0;
    const { name, value } = event.submitter ?? {};
    ask(name ? { [name]: value } : {}, form);
  }
});

/* Before the client hears of it: the one combination that leaves the screen, and Escape in a menu. */
window.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.(".sk-menu[open]");
  if (event.ctrlKey && event.altKey && event.code === WAY_OUT) {
    event.preventDefault();
    event.stopPropagation();
    $("header a, header button:enabled").focus();
  } else if (event.key === "Escape" && menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
}, true);

window.addEventListener("pagehide", drop);

if ($("#main").dataset.ticket) {
  history.replaceState(null, "", location.href); // so that a reload asks anew instead of asking to send the form again
  open();
} else if ($("#main").dataset.auto !== undefined) ask({});
else explained();
