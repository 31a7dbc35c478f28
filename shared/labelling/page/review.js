// The review page: shows one text after another, sends each decision, and goes on where the server says.
"use strict";

const element = (id) => document.getElementById(id);
const KEYS = {a: "save", r: "reject", s: "skip", z: "reset", u: "undo"};
let about, reviewer = "", shown = null, editor = null, before = "", began = 0, busy = false;

async function ask(path, body) {
  const options = body && {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)};
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new Error("The server does not answer. What was decided is kept: start `review` again, then open its address.");
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.problem ?? JSON.stringify(answer));
  return answer;
}

const told = ask("api/about");
const asked = (values) => new URLSearchParams({reviewer, ...values}).toString();
const say = (message) => { element("said").textContent = message; };

function show({item, progress}) {
  shown = item;
  element("progress").textContent =
    `${progress.decided.toLocaleString("en")} of ${progress.texts.toLocaleString("en")} texts decided, ${progress.own.toLocaleString("en")} by you`;
  element("who").hidden = true;
  element("work").hidden = !item;
  element("done").hidden = Boolean(item);
  element("problem").textContent = "";
  if (!item) return void showAgreement();
  element("agreement").hidden = true;
  element("standing").textContent =
    `${item.id}: ${item.status}` + (item.voices ? `, ${item.voices} answers, doubt ${item.doubt.toFixed(2)}` : "");
  element("editor").replaceChildren();
  const root = document.createElement("div");
  element("editor").append(root);
  editor = EDITORS[item.editor.kind](root, item.editor, about.labels, {changed: nameAction, say});
  before = JSON.stringify(editor.value());
  element("keys").replaceChildren(...[...editor.keys, "Enter saves what is shown"].map((key) => make("li", {textContent: key})));
  began = performance.now();
  nameAction();
}

function nameAction() {
  const changed = JSON.stringify(editor.value()) !== before;
  document.querySelector('[data-action="save"]').lastChild.textContent = changed ? " save the correction" : " accept";
}

async function showAgreement() {
  const rows = (await ask("api/agreement")).flatMap((pair) => pair.labels.map((label, index) => {
    const over = index ? "" : pair.periods.map((period) => period.value?.toFixed(3) ?? "-").join(", ");
    const value = label.value === null ? "-" : `${label.value.toFixed(3)} (${label.measure})`;
    const cells = [pair.reviewers.join(" and "), pair.texts, label.label || "all", value, over];
    return make("tr", {}, ...cells.map((cell) => make("td", {textContent: cell})));
  }));
  document.querySelector("#agreement tbody").replaceChildren(...rows);
  element("agreement").hidden = !rows.length;
}

const ACTIONS = {
  save: () => ask("api/decisions", {id: shown.id, reviewer, value: editor.value(), seconds: seconds()}),
  reject: () => ask("api/decisions", {id: shown.id, reviewer, rejected: true, seconds: seconds()}),
  skip: () => ask(`api/next?${asked({after: shown.id})}`),
  reset: () => ask(`api/text?${asked({id: shown.id})}`),
  undo: () => ask("api/undo", {reviewer}),
};
const seconds = () => (performance.now() - began) / 1000;

async function act(name) {
  if (busy || !reviewer || (!shown && name !== "undo")) return;
  busy = true;
  try {
    const answer = await ACTIONS[name]();
    show(answer);
    say(answer.entered ? `${answer.entered}ed` : name);
  } catch (error) {
    element("problem").textContent = error.message;
  } finally {
    busy = false;
  }
}

async function begin() {
  reviewer = element("reviewer").value.trim();
  if (!reviewer) return element("reviewer").focus();
  localStorage.setItem("reviewer", reviewer);
  try {
    about = await told;
    show(await ask(`api/next?${asked({})}`));
  } catch (error) {
    element("problem").textContent = error.message;
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const field = event.target.closest?.("textarea, input:not([type=radio]):not([type=checkbox])");
  if (field) {
    if (event.key === "Enter" && field.id === "reviewer") begin();
    if (event.key === "Escape") field.blur();
    return;
  }
  if (event.target.closest?.("button, summary") && event.key === "Enter") return;
  const action = event.key === "Enter" ? "save" : KEYS[event.key];
  if (shown && editor.handle(event)) event.preventDefault();
  else if (action) {
    event.preventDefault();
    act(action);
  }
});
document.addEventListener("click", (event) => {
  const action = event.target.closest("[data-action]")?.dataset.action;
  if (action) act(action);
});
element("begin").addEventListener("click", begin);
element("reviewer").value = localStorage.getItem("reviewer") ?? "";
told.then((found) => {
  element("title").textContent = `Review: ${found.title}`;
  document.title = element("title").textContent;
  element("reviewer").focus();
}, (error) => { element("problem").textContent = error.message; });
