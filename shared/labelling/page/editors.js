// The editors of the review page: each shows an answer, lets a person change it, and gives it back.
// An editor is {keys, value(), handle(event)}; `changed` is called after each change, `say` speaks to a screen reader.
"use strict";

const make = (tag, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

// Spans of words with a label: a cursor over words, a stretch held with Shift, a key for each label.
function spanEditor(root, given, labels, {changed, say}) {
  const words = given.words;
  let spans = given.spans.map(([start, end, label]) => ({start, end, label}));
  let cursor = 0, anchor = 0, pressed = false;

  const text = make("div", {className: "text", tabIndex: 0});
  text.setAttribute("role", "group");
  text.setAttribute("aria-label", "The text. Arrow keys move over its words, with Shift they choose several.");
  const palette = make("div", {className: "palette"});
  labels.forEach((label, index) => {
    const button = make("button", {type: "button", className: `mark-${index % 6}`, title: label.meaning},
      ...(index < 9 ? [make("kbd", {textContent: index + 1}), " "] : []), label.name);
    button.addEventListener("click", () => mark(label.name));
    palette.append(button);
  });
  const clear = make("button", {type: "button"}, make("kbd", {textContent: "x"}), " no entity");
  clear.addEventListener("click", () => unmark());
  palette.append(clear);
  root.append(text, palette);

  const chosen = () => [Math.min(cursor, anchor), Math.max(cursor, anchor)];
  const overlapping = (start, end) => spans.filter((span) => span.start < end && start < span.end);

  function draw() {
    text.replaceChildren();
    let place = 0, box = text, until = -1;
    const [first, last] = chosen();
    words.forEach(([start, end], index) => {
      if (start >= until) box = text;
      box.append(given.text.slice(place, start));
      const span = spans.find((one) => one.start === start);
      if (span) {
        const number = labels.findIndex((label) => label.name === span.label);
        box = make("mark", {className: `mark-${number % 6}`});
        box.dataset.label = span.label;
        text.append(box);
        until = span.end;
      }
      const word = make("span", {className: "word", textContent: given.text.slice(start, end)});
      word.dataset.index = index;
      if (index >= first && index <= last) word.classList.add("chosen");
      box.append(word);
      place = end;
      if (end >= until) box = text;
    });
    text.append(given.text.slice(place));
  }

  function mark(label) {
    const [first, last] = chosen();
    const [start, end] = [words[first][0], words[last][1]];
    spans = spans.filter((span) => !overlapping(start, end).includes(span)).concat({start, end, label});
    finish(`${given.text.slice(start, end)}: ${label}`);
  }

  function unmark() {
    const [first, last] = chosen();
    const gone = overlapping(words[first][0], words[last][1]);
    spans = spans.filter((span) => !gone.includes(span));
    finish(gone.length ? "no entity" : "there was no entity");
  }

  function finish(message) {
    anchor = cursor;
    draw();
    changed();
    say(message);
  }

  function move(step, hold) {
    cursor = Math.max(0, Math.min(words.length - 1, cursor + step));
    if (!hold) anchor = cursor;
    draw();
    const here = overlapping(words[cursor][0], words[cursor][1])[0];
    say(given.text.slice(...words[cursor]) + (here ? `, ${here.label}` : ""));
    text.querySelector(`[data-index="${cursor}"]`).scrollIntoView({block: "nearest"});
  }

  const wordOf = (event) => event.target.closest?.(".word")?.dataset.index;
  text.addEventListener("mousedown", (event) => {
    const index = wordOf(event);
    if (index === undefined) return;
    event.preventDefault();
    text.focus();
    pressed = true;
    cursor = Number(index);
    if (!event.shiftKey) anchor = cursor;
    draw();
  });
  text.addEventListener("mouseover", (event) => {
    const index = wordOf(event);
    if (!pressed || index === undefined || Number(index) === cursor) return;
    cursor = Number(index);
    draw();
  });
  document.addEventListener("mouseup", () => { pressed = false; });

  draw();
  text.focus();
  return {
    keys: ["← → move over the words, with Shift choose several", "1 to 9 label what is chosen", "x takes the label away"],
    value: () => spans.map((span) => [span.start, span.end, span.label]),
    handle(event) {
      if (!words.length) return false;
      const number = Number(event.key);
      if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
        move(event.key === "ArrowRight" ? 1 : -1, event.shiftKey);
      } else if (number >= 1 && number <= Math.min(9, labels.length)) mark(labels[number - 1].name);
      else if (event.key === "x" || event.key === "Delete" || event.key === "Backspace") unmark();
      else return false;
      return true;
    },
  };
}

// Concepts of each facet: one of several, any number of them, or a number.
function facetEditor(root, given, labels, {changed}) {
  root.append(make("div", {className: "text", textContent: given.text}));
  if (given.pair) root.append(make("div", {className: "text", textContent: given.pair}));
  const inputs = given.facets.map((facet, index) => {
    const field = make("fieldset", {}, make("legend", {textContent: `${facet.label} (${facet.kind})`}));
    root.append(field);
    if (facet.kind === "a number") {
      const input = make("input", {type: "number", step: "any", value: facet.value ?? ""});
      input.setAttribute("aria-label", facet.label);
      field.append(input);
      return [input];
    }
    const type = facet.kind === "any number" ? "checkbox" : "radio";
    const options = facet.kind === "one or none" ? [...facet.options, {name: "", label: "none"}] : facet.options;
    return options.map((option) => {
      const input = make("input", {type, name: `facet-${index}`, value: option.name});
      input.checked = facet.chosen.includes(option.name) || (option.name === "" && !facet.chosen.length);
      field.append(make("label", {}, input, " ", option.label));
      return input;
    });
  });
  root.addEventListener("input", changed);
  return {
    keys: ["Tab and the arrow keys choose"],
    value: () => Object.fromEntries(given.facets.map((facet, index) => {
      if (facet.kind === "a number") {
        const number = inputs[index][0].value;
        return [facet.name, number === "" ? null : Number(number)];
      }
      return [facet.name, inputs[index].filter((input) => input.checked && input.value).map((input) => input.value)];
    })),
    handle: () => false,
  };
}

// Lines of free text, one a line.
function lineEditor(root, given, labels, {changed}) {
  root.append(make("div", {className: "text", textContent: given.text}));
  const area = make("textarea", {value: given.lines.join("\n")});
  area.setAttribute("aria-label", `${labels[0]?.name ?? "answer"}, one a line`);
  area.addEventListener("input", changed);
  root.append(area);
  return {
    keys: ["Esc leaves the text field, so that the keys below work"],
    value: () => area.value.split("\n").filter((line) => line.trim()),
    handle: () => false,
  };
}

const EDITORS = {spans: spanEditor, facets: facetEditor, lines: lineEditor};
