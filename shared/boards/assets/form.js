"use strict";
// The calculator's form: asks `decide` of calculator.js about the rows of the data set chosen, and lays out its answer.
{
  const { number, dollars, score } = decide;
  const { boards, fields, offers } = JSON.parse(document.getElementById("data").textContent);
  const form = document.getElementById("question");
  const KINDS = { measured: "specialist", replayed: "API model", baseline: "baseline" };
  const GO = { true: "go", false: "no go", null: "not known" };

  const answer = () => {
    const wrong = [...form.elements].filter((input) => !input.checkValidity());
    if (wrong.length) return refuse(wrong);
    const decision = decide(asked(), boards[form.elements.board.value], offers);
    show("verdict", verdict(decision));
    show("decision", [
      candidates(decision),
      arithmetic(decision),
      breakEvens(decision),
      sensitivity(decision),
      checklist(decision),
      section("What this takes for granted", list(decision.notes)),
    ]);
  };

  const refuse = (wrong) => {
    const named = wrong.map((input) => `${input.labels[0].textContent.trim()}: ${input.validationMessage}`);
    show("verdict", [make("strong", "An answer is not allowed."), ` ${named.join(" ")}`]);
    show("decision", []);
  };

  const asked = () =>
    Object.fromEntries(
      Object.keys(fields).map((name) => {
        const input = form.elements[name];
        if (input.type === "checkbox") return [name, input.checked];
        return [name, input.value === "" ? null : input.valueAsNumber];
      }),
    );

  const verdict = (decision) => {
    const said = make("strong", `${decision.verdict[0].toUpperCase()}${decision.verdict.slice(1)}.`);
    const chosen = find(decision, decision.chosen);
    if (!chosen) return [said];
    const months = number(decision.question.horizon_months);
    return [said, ` ${chosen.name}: ${dollars(chosen.costs.total)} over ${months} months.`];
  };

  const candidates = (decision) => {
    const rows = decision.candidates.filter((one) => one.kind !== "offer").map((one) => [
      one.name,
      KINDS[one.kind],
      one.score ? score(one.score.value) : "",
      ...["one_time", "monthly", "total"].map((part) => (one.costs ? dollars(one.costs[part]) : "not known")),
      one.eligible ? "yes" : one.failures.map((failure) => `${failure.need.replace("_", " ")}: ${failure.why}`).join("; "),
    ]);
    const heads = ["candidate", "kind", "score", "once", "a month", "in all", "meets every need"];
    const title = "Candidates, the cheapest that meets every need first";
    return section(title, table(heads, rows, { title, words: [1, 6] }));
  };

  const arithmetic = (decision) => {
    const shown = find(decision, decision.chosen ?? decision.own);
    if (!shown || !shown.costs) return [];
    const terms = Object.entries(shown.how).flatMap(([part, how]) => [make("dt", part.replace("_", " ")), make("dd", how)]);
    return section(`How ${shown.name} comes to that`, make("dl", ...terms));
  };

  const breakEvens = (decision) => {
    if (!decision.break_even.length) return [];
    const title = `When ${decision.own} pays for itself`;
    const isOffer = (one) => find(decision, one.against).kind === "offer";
    const offered = decision.break_even.filter(isOffer);
    const more = make("details", make("summary", `Against ${offered.length} API models whose price alone is known`));
    more.append(paybacks(offered, `${title} against models known by price`));
    const measured = decision.break_even.filter((one) => !isOffer(one));
    return section(title, paybacks(measured, title), ...(offered.length ? [more] : []));
  };

  const paybacks = (found, title) => {
    const rows = found.map((one) => [
      one.against,
      one.month === null ? "never" : `${number(one.month)} months`,
      one.volume === null ? "none" : `${number(one.volume)} a month`,
      one.how,
    ]);
    return table(["against", "after", "or from a volume of", "why"], rows, { title, words: [3] });
  };

  const sensitivity = (decision) => {
    if (!decision.sensitivity.length) return [];
    const largest = Math.max(...decision.sensitivity.flatMap((one) => changes(one).map(Math.abs)), 0);
    const rows = decision.sensitivity.map((one) => [
      one.input.replaceAll("_", " "),
      outcome(one.halved, decision),
      outcome(one.doubled, decision),
      swing(changes(one), largest),
    ]);
    const heads = ["input", "halved", "doubled", "change of the total"];
    const title = "What changes it most";
    return section(title, table(heads, rows, { title, words: [1, 2, 3] }));
  };

  const changes = (one) => [one.halved.change ?? 0, one.doubled.change ?? 0];

  const outcome = (one, decision) => {
    const change = one.change === null ? "" : `${one.change >= 0 ? "+" : ""}${dollars(one.change)}`;
    const choice = one.chosen === decision.chosen ? "" : `choose ${one.chosen ?? "nothing"}`;
    return [change, choice].filter(Boolean).join(", ");
  };

  // A bar around the middle of its cell; the numbers stand beside it.
  const swing = (ends, largest) => {
    const bar = make("span");
    const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)].map((end) => (largest ? (50 * end) / largest : 0));
    bar.className = "swing";
    bar.style.marginLeft = `${50 + low}%`;
    bar.style.width = `${high - low}%`;
    return bar;
  };

  const checklist = (decision) => {
    const items = decision.checklist.map(({ item, go, evidence }) => {
      const ruling = make("strong", `${GO[go]} `);
      ruling.className = `go-${go}`;
      return [ruling, item, make("br"), soft(evidence)];
    });
    return section("Checklist: a go when several hold", list(items));
  };

  const find = (decision, name) => decision.candidates.find((one) => one.name === name);

  const section = (title, ...parts) => [make("h3", title), ...parts];

  const list = (items) => make("ul", ...items.map((item) => make("li", ...[item].flat())));

  const soft = (text) => {
    const span = make("span", text);
    span.className = "soft";
    return span;
  };

  const table = (heads, rows, { title, words }) => {
    const cell = (value, place) => {
      const made = make(place ? "td" : "th", value);
      if (!place) made.scope = "row";
      if (words.includes(place)) made.className = "text long";
      return made;
    };
    const head = (text, place) => {
      const made = make("th", text);
      made.scope = "col";
      if (words.includes(place)) made.className = "text";
      return made;
    };
    const body = rows.map((row) => make("tr", ...row.map(cell)));
    const region = make("div", make("table", make("thead", make("tr", ...heads.map(head))), make("tbody", ...body)));
    region.className = "scroll";
    region.tabIndex = 0;
    region.setAttribute("role", "region");
    region.setAttribute("aria-label", title);
    return region;
  };

  const make = (tag, ...children) => {
    const made = document.createElement(tag);
    made.append(...children);
    return made;
  };

  const show = (id, parts) => document.getElementById(id).replaceChildren(...parts.flat());

  for (const link of document.querySelectorAll("[data-board]")) {
    link.addEventListener("click", () => {
      form.elements.board.value = link.dataset.board;
      answer();
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", answer);
  form.hidden = false;
  const hasApi = (rows) => rows.some((row) => row.kind === "replayed" && row.cost);
  form.elements.board.value = Object.keys(boards).find((id) => hasApi(boards[id])) ?? Object.keys(boards)[0];
  answer();
}
