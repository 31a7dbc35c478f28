// Whether to fine-tune: decide(question, rows, offers) decides in the page as `python -m leaderboards decide` does.
//
// It repeats, under like names, shared/boards/{decision,checklist,candidates,decision_costs,amounts}.py, whose docstrings
// say what each function does; tests/shared/boards/test_decision.py holds the two together. The arguments are plain objects
// with the fields of question.Question, of a board's rows, and of an offer (name, input, output); what a row lacks is null.
// The answer is a plain object with the fields of decision.Decision: its numbers are exact, its sentences round.
"use strict";

const decide = (() => {
  const MONTH_HOURS = 730;
  const FIRST = ["1", "1="];
  const NOTHING = "nothing here reaches what you need";
  const VERDICTS = {
    measured: "fine-tune",
    replayed: "use the API",
    baseline: "do not fine-tune: a baseline does it",
  };
  const VARIED = [
    "volume",
    "tokens_per_document",
    "label_cost",
    "labels",
    "setup_hours",
    "engineer_dollars_per_hour",
    "maintenance_hours",
    "allowed_errors",
    "wrong_answer_cost",
    "abstention_cost",
    "horizon_months",
    "latency_ms",
    "machine_dollars_per_hour",
    "utilisation",
    "token_price",
  ];

  function decide(question, rows, offers) {
    const asked = caseOf(question, rows, "", 1);
    const candidates = candidatesOf(asked, rows, offers);
    const chosen = chosenOf(candidates);
    const own = ownOf(candidates);
    const breakEvens = breakEvensOf(own, candidates);
    return {
      question,
      quality_needed: asked.quality,
      candidates,
      chosen: chosen ? chosen.name : null,
      verdict: chosen ? VERDICTS[chosen.kind] : NOTHING,
      own: own ? own.name : null,
      break_even: breakEvens,
      sensitivity: sensitivitiesOf(question, rows, chosen),
      checklist: checklistOf(asked, candidates, own, breakEvens),
      notes: notesOf(asked),
    };
  }

  function chosenOf(candidates) {
    return candidates.length && candidates[0].eligible ? candidates[0] : null;
  }

  function ownOf(candidates) {
    const chosen = chosenOf(candidates);
    if (chosen && chosen.kind !== "replayed") return chosen;
    return candidates.find((one) => one.kind === "measured" && one.costs) ?? null;
  }

  function breakEvensOf(own, candidates) {
    if (!own || !own.costs) return [];
    return candidates.filter((other) => other.costs && other.inputs.api).map((other) => breakEven(own, other));
  }

  function sensitivitiesOf(question, rows, chosen) {
    const found = [];
    for (const input of VARIED) {
      const [halved, doubled] = [0.5, 2].map((factor) => outcomeOf(question, rows, chosen, input, factor));
      const name = chosen ? chosen.name : null;
      const flips = halved.chosen !== name || doubled.chosen !== name;
      if (flips || halved.change || doubled.change) found.push({ input, halved, doubled, flips });
    }
    const swings = new Map(found.map((one) => [one, swingOf(one)]));
    return found.sort((a, b) => compare(swings.get(b), swings.get(a)));
  }

  function outcomeOf(question, rows, chosen, input, factor) {
    const other = chosenOf(candidatesOf(caseOf(question, rows, input, factor), rows, []));
    const change = chosen && other ? other.costs.total - chosen.costs.total : null;
    return { chosen: other ? other.name : null, total: other ? other.costs.total : null, change };
  }

  function swingOf(sensitivity) {
    const changes = [sensitivity.halved.change, sensitivity.doubled.change];
    return Math.max(...changes.map((change) => (change === null ? Infinity : Math.abs(change))));
  }

  function compare(a, b) {
    return a < b ? -1 : a > b ? 1 : 0;
  }

  function notesOf(asked) {
    const notes = [
      "A document counts as one answer, the main score as the share right: exact for accuracy, not for F1.",
      "Set-up and maintenance are the hours beyond an API model's; training is one run, not its search.",
      "A row keeps its score whatever the number of labels; a baseline is charged those of a specialist.",
    ];
    if (asked.document_tokens !== null) {
      notes.push(
        `Time and tokens grow with the length of a document; the board's have ${number(asked.document_tokens)} tokens.`,
      );
    } else if (asked.question.tokens_per_document !== null) {
      notes.push("The board does not say how long its documents are: tokens_per_document is not used.");
    }
    if (asked.question.abstention_cost !== null) {
      notes.push("The share left to a person is the cheapest on the answers that were scored: new texts do worse.");
    }
    if (asked.api === null) {
      notes.push("No API model's tokens were counted on this data: listed models are not priced.");
    }
    return notes;
  }

  // The checklist.

  function checklistOf(asked, candidates, own, breakEvens) {
    const specialist = bestOf(candidates, "measured");
    const api = bestOf(candidates, "replayed");
    return [
      dataItem(asked, specialist),
      mistakesItem(asked.question, own),
      costItem(asked.question, candidates, own, breakEvens),
      controlItem(asked.question),
      qualityItem(asked.question, specialist, api),
    ];
  }

  function bestOf(candidates, kind) {
    const found = candidates.filter((one) => one.kind === kind);
    return found.length ? found.reduce((best, one) => (one.score.value > best.score.value ? one : best)) : null;
  }

  function dataItem(asked, specialist) {
    const item = "data: labels of your own are enough to train on";
    if (!specialist) return { item, go: null, evidence: "no specialist was measured on this data" };
    let evidence = `${specialist.name} reaches ${score(specialist.score.value)}`;
    if (specialist.costs) {
      evidence += ` with ${number(specialist.inputs.labels)} labels for ${dollars(specialist.costs.labels)}`;
    }
    if (asked.quality === null) return { item, go: null, evidence: `${evidence}; say what is needed: quality` };
    const go = specialist.score.value >= asked.quality;
    return { item, go, evidence: `${evidence}; ${score(asked.quality)} is needed` };
  }

  function mistakesItem(question, own) {
    const item = "mistakes: a wrong answer costs more than none";
    if (question.abstention_cost === null) {
      return { item, go: null, evidence: "say what a person's answer costs: abstention_cost" };
    }
    const [wrong, person] = [dollars(question.wrong_answer_cost), dollars(question.abstention_cost)];
    let evidence = `${wrong} a wrong answer, ${person} a person's`;
    if (own && own.costs) evidence += `; ${own.name} answers ${percent(own.costs.answered)} itself`;
    return { item, go: question.wrong_answer_cost > question.abstention_cost, evidence };
  }

  function costItem(question, candidates, own, breakEvens) {
    const item = "cost or latency: tokens or waiting are a constraint";
    const measured = new Set(candidates.filter((one) => one.kind === "replayed").map((one) => one.name));
    const against = breakEvens.find((one) => measured.has(one.against)) ?? null;
    const pays = against !== null && against.month !== null && against.month <= question.horizon_months;
    const evidence = against
      ? `against ${against.against}: ${against.how}`
      : "no API model is measured and priced here";
    if (question.latency_ms === null || !own) return { item, go: against ? pays : null, evidence };
    const met = own.failures.every((failure) => failure.need !== "latency");
    const waiting = `${own.name} ${met ? "meets" : "does not meet"} ${number(question.latency_ms)} ms`;
    return { item, go: pays || met, evidence: `${evidence}; ${waiting}` };
  }

  function controlItem(question) {
    const asked = [];
    if (question.on_premises) asked.push("on-premises");
    if (question.stable) asked.push("stable answers");
    const evidence = asked.length ? `required: ${asked.join(" and ")}` : "neither is required";
    return { item: "control: on-premises or stable answers are required", go: asked.length > 0, evidence };
  }

  function qualityItem(question, specialist, api) {
    const item = "quality: what can be called today falls short";
    if (!api) return { item, go: null, evidence: "no API model was measured on this data" };
    const evidence = `${api.name} reaches ${score(api.score.value)}`;
    if (question.quality !== null) {
      const needed = `${evidence}; ${score(question.quality)} is needed`;
      return { item, go: api.score.value < question.quality, evidence: needed };
    }
    if (!specialist) return { item, go: null, evidence: `${evidence}; no specialist was measured` };
    const found = `${evidence}, ${specialist.name} ${score(specialist.score.value)}`;
    return { item, go: api.score.value < specialist.score.value, evidence: found };
  }

  // The candidates.

  function caseOf(question, rows, input, factor) {
    const specialists = rows.filter((row) => row.kind === "measured" && row.comparable);
    const apis = rows.filter((row) => row.kind === "replayed" && row.comparable);
    let quality = question.quality;
    if (quality === null) {
      const first = rows.filter((row) => FIRST.includes(row.place));
      if (apis.length) quality = Math.max(...apis.map((row) => row.score.value));
      else if (first.length) quality = Math.min(...first.map((row) => row.score.value));
    }
    if (quality !== null && input === "allowed_errors") quality = 1 - (1 - quality) * factor;
    return {
      question,
      of: (name, value) => (name === input ? value * factor : value),
      document_tokens: first(specialists.map(documentTokens)),
      labels: first(specialists.map((row) => row.training?.examples)),
      machine_dollars_per_hour: first(specialists.map((row) => row.cost?.dollars_per_hour)),
      quality,
      api: apis.find((row) => row.cost) ?? null,
    };
  }

  function candidatesOf(asked, rows, offers) {
    const found = rows
      .filter((row) => row.kind !== "cited" && row.comparable)
      .map((row) => rowCandidate(asked, row));
    if (asked.api) found.push(...offers.map((offer) => offerCandidate(asked, offer)));
    return found.sort(
      (a, b) =>
        compare(!a.eligible, !b.eligible) ||
        compare(!a.costs, !b.costs) ||
        (a.costs && b.costs ? compare(a.costs.total, b.costs.total) : 0),
    );
  }

  function rowCandidate(asked, row) {
    const unpriced = unpricedOf(asked, row);
    const needs = {
      quality: qualityFailure(asked, row.score),
      latency: latencyFailure(asked, row),
      on_premises: premisesFailure(asked, row),
      licence: licenceFailure(asked, row),
      stability: stabilityFailure(asked, row),
      cost: unpriced,
    };
    const failures = Object.entries(needs)
      .filter(([, why]) => why !== null)
      .map(([need, why]) => ({ need, why }));
    const inputs = unpriced === null ? rowInputs(asked, row) : null;
    return candidate(row.name, row.kind, row.score, failures, inputs, row.reliability?.curve ?? []);
  }

  function offerCandidate(asked, offer) {
    const cost = { ...asked.api.cost, input_price: offer.input, output_price: offer.output };
    const failures = [{ need: "quality", why: "not measured here" }];
    return candidate(offer.name, "offer", null, failures, apiInputs(asked, cost, null), []);
  }

  function candidate(name, kind, given, failures, inputs, curve) {
    const costs = inputs ? costsOf(inputs, curve) : null;
    const how = costs ? howOf(inputs, costs) : {};
    return { name, kind, score: given, eligible: failures.length === 0, failures, inputs, costs, how };
  }

  function qualityFailure(asked, given) {
    const { value, high } = given;
    if (asked.quality === null || value >= asked.quality) return null;
    if (high !== null && high >= asked.quality) {
      return `not shown: ${score(value)}, its upper bound ${score(high)} alone reaches ${score(asked.quality)}`;
    }
    return `${score(value)} is below ${score(asked.quality)}`;
  }

  function latencyFailure(asked, row) {
    if (asked.question.latency_ms === null) return null;
    const allowed = asked.of("latency_ms", asked.question.latency_ms);
    const p95 = median(row, "latency_p95_ms");
    if (p95 === null) return `p95 was not measured, ${number(allowed)} ms are allowed`;
    const taken = p95 * lengthOf(asked);
    return taken > allowed ? `p95 of ${number(taken)} ms, ${number(allowed)} ms are allowed` : null;
  }

  function premisesFailure(asked, row) {
    const hosted = asked.question.on_premises && row.kind === "replayed";
    return hosted ? "the documents go to its provider" : null;
  }

  function licenceFailure(asked, row) {
    const free = row.licence?.commercial ?? true;
    if (!asked.question.commercial || row.kind === "replayed" || free) return null;
    const learned = `base ${row.licence.base || "none"}, data ${row.licence.data}`;
    return `not for commercial use (${learned}); the same recipe on data of your own may be`;
  }

  function stabilityFailure(asked, row) {
    if (!asked.question.stable || row.kind !== "replayed") return null;
    if (!row.churn) return "whether its answers change when asked again was not measured";
    return row.churn.high > 0 ? `${percent(row.churn.high)} of its answers changed when asked again` : null;
  }

  function unpricedOf(asked, row) {
    if (row.kind === "replayed") {
      return row.cost ? null : "its tokens were not counted, or its model has no listed price";
    }
    if (row.kind === "measured" && median(row, "documents_per_second") === null) {
      return "its speed was not measured";
    }
    if (labelsOf(asked, row) === null) return "how many labels it learned from is not recorded: give labels";
    if (machinePrice(asked, row) === null) return "its machine has no price: give machine_dollars_per_hour";
    return null;
  }

  function rowInputs(asked, row) {
    const error = 1 - row.score.value;
    return row.kind === "replayed" ? apiInputs(asked, row.cost, error) : ownInputs(asked, row, error);
  }

  function ownInputs(asked, row, error) {
    const question = asked.question;
    const speed = median(row, "documents_per_second");
    return {
      ...sharedInputs(asked, false, error),
      labels: asked.of("labels", labelsOf(asked, row)),
      label_cost: asked.of("label_cost", question.label_cost),
      setup_hours: asked.of("setup_hours", question.setup_hours),
      engineer_dollars_per_hour: asked.of("engineer_dollars_per_hour", question.engineer_dollars_per_hour),
      maintenance_hours: asked.of("maintenance_hours", question.maintenance_hours),
      training_hours: (row.training?.wall_seconds ?? 0) / 3600,
      seconds_per_document: speed ? lengthOf(asked) / speed : 0,
      machine_dollars_per_hour: asked.of("machine_dollars_per_hour", machinePrice(asked, row)),
      always_on: question.always_on,
      utilisation: Math.min(1, asked.of("utilisation", question.utilisation)),
    };
  }

  function apiInputs(asked, cost, error) {
    const length = lengthOf(asked);
    const paid = 1 - asked.question.token_discount;
    return {
      ...sharedInputs(asked, true, error),
      input_tokens: cost.input_tokens + (length - 1) * (asked.document_tokens ?? 0),
      output_tokens: cost.output_tokens * length,
      input_price: asked.of("token_price", cost.input_price * paid),
      output_price: asked.of("token_price", cost.output_price * paid),
    };
  }

  function sharedInputs(asked, api, error) {
    const question = asked.question;
    return {
      api,
      volume: asked.of("volume", question.volume),
      horizon_months: asked.of("horizon_months", question.horizon_months),
      error,
      wrong_answer_cost: asked.of("wrong_answer_cost", question.wrong_answer_cost),
      abstention_cost:
        question.abstention_cost === null ? null : asked.of("abstention_cost", question.abstention_cost),
      labels: 0,
      label_cost: 0,
      setup_hours: 0,
      engineer_dollars_per_hour: 0,
      maintenance_hours: 0,
      training_hours: 0,
      seconds_per_document: 0,
      machine_dollars_per_hour: 0,
      always_on: false,
      utilisation: 1,
      input_tokens: 0,
      output_tokens: 0,
      input_price: 0,
      output_price: 0,
    };
  }

  function labelsOf(asked, row) {
    if (asked.question.labels !== null) return asked.question.labels;
    if (row.kind === "baseline") return asked.labels;
    return row.training ? (row.training.examples ?? null) : 0;
  }

  function machinePrice(asked, row) {
    return asked.question.machine_dollars_per_hour ?? row.cost?.dollars_per_hour ?? asked.machine_dollars_per_hour;
  }

  function lengthOf(asked) {
    if (asked.document_tokens === null) return 1;
    const tokens = asked.question.tokens_per_document ?? asked.document_tokens;
    return asked.of("tokens_per_document", tokens) / asked.document_tokens;
  }

  function documentTokens(row) {
    const [tokens, documents] = [median(row, "tokens_per_second"), median(row, "documents_per_second")];
    return tokens && documents ? tokens / documents : null;
  }

  function median(row, name) {
    return row.measured?.[name]?.median ?? null;
  }

  function first(values) {
    return values.find((value) => value !== null && value !== undefined) ?? null;
  }

  // The costs.

  function costsOf(inputs, curve) {
    const labels = inputs.labels * inputs.label_cost;
    const engineer = inputs.setup_hours * inputs.engineer_dollars_per_hour;
    const training = inputs.training_hours * inputs.machine_dollars_per_hour;
    const one_time = labels + engineer + training;
    const hours = (inputs.volume * inputs.seconds_per_document) / 3600 / inputs.utilisation;
    const machines = inputs.always_on ? Math.max(1, Math.ceil(hours / MONTH_HOURS)) : 0;
    const paidHours = inputs.always_on ? machines * MONTH_HOURS : hours;
    const tokens = inputs.input_tokens * inputs.input_price + inputs.output_tokens * inputs.output_price;
    const running = inputs.api ? (inputs.volume * tokens) / 1e6 : paidHours * inputs.machine_dollars_per_hour;
    const maintenance = inputs.maintenance_hours * inputs.engineer_dollars_per_hour;
    const [answered, wrong_share] = answering(inputs, curve);
    const wrong_answers = inputs.volume * answered * wrong_share * inputs.wrong_answer_cost;
    const abstentions = inputs.volume * (1 - answered) * (inputs.abstention_cost ?? 0);
    const monthly = running + maintenance + wrong_answers + abstentions;
    const total = one_time + inputs.horizon_months * monthly;
    return {
      labels,
      engineer,
      training,
      one_time,
      hours,
      machines,
      running,
      maintenance,
      answered,
      wrong_share,
      wrong_answers,
      abstentions,
      monthly,
      total,
    };
  }

  function answering(inputs, curve) {
    const error = inputs.error ?? 0;
    const abstentionCost = inputs.abstention_cost;
    const all = [1, error];
    if (abstentionCost === null || !curve.length || curve.at(-1)[1] === 0) return all;
    const cost = ([answered, wrong]) =>
      answered * wrong * inputs.wrong_answer_cost + (1 - answered) * abstentionCost;
    return curve
      .map(([coverage, risk]) => [coverage, Math.min(1, (error * risk) / curve.at(-1)[1])])
      .reduce((best, one) => (cost(one) < cost(best) ? one : best), all);
  }

  function howOf(inputs, costs) {
    const documents = `${number(inputs.volume)} documents`;
    const [engineer, machine] = [
      dollars(inputs.engineer_dollars_per_hour),
      dollars(inputs.machine_dollars_per_hour),
    ];
    const how = {
      one_time:
        `${number(inputs.labels)} labels x ${dollars(inputs.label_cost)}` +
        ` + ${number(inputs.setup_hours)} hours x ${engineer}` +
        ` + training ${number(inputs.training_hours)} hours x ${machine} = ${dollars(costs.one_time)}`,
      running: inputs.api ? howTokens(inputs, costs) : howMachine(inputs, costs),
      maintenance: `${number(inputs.maintenance_hours)} hours x ${engineer} = ${dollars(costs.maintenance)}`,
      wrong_answers:
        `${documents} x ${number(costs.answered)} answered x ${number(costs.wrong_share)} wrong` +
        ` x ${dollars(inputs.wrong_answer_cost)} = ${dollars(costs.wrong_answers)}`,
      abstentions:
        `${documents} x ${number(1 - costs.answered)} left to a person` +
        ` x ${dollars(inputs.abstention_cost ?? 0)} = ${dollars(costs.abstentions)}`,
      total:
        `${dollars(costs.one_time)} + ${number(inputs.horizon_months)} months` +
        ` x ${dollars(costs.monthly)} = ${dollars(costs.total)}`,
    };
    return Object.fromEntries(Object.entries(how).filter(([part]) => costs[part]));
  }

  function howTokens(inputs, costs) {
    const read = `${number(inputs.input_tokens)} tokens read x ${dollars(inputs.input_price)}`;
    const written = `${number(inputs.output_tokens)} written x ${dollars(inputs.output_price)}`;
    return `${number(inputs.volume)} documents x (${read} + ${written}) / 1,000,000 = ${dollars(costs.running)}`;
  }

  function howMachine(inputs, costs) {
    const work = `${number(inputs.volume)} documents x ${number(inputs.seconds_per_document)} s / 3,600`;
    const hours = `${work} / ${number(inputs.utilisation)} used = ${number(costs.hours)} hours`;
    const price = `x ${dollars(inputs.machine_dollars_per_hour)} = ${dollars(costs.running)}`;
    if (!inputs.always_on) return `${hours} ${price}`;
    const machines = costs.machines === 1 ? "1 machine" : `${number(costs.machines)} machines`;
    return `${hours}: ${machines} x ${number(MONTH_HOURS)} hours ${price}`;
  }

  function breakEven(own, other) {
    const counted = other.inputs.error !== null;
    const ownAnswers = counted ? own.costs.wrong_answers + own.costs.abstentions : 0;
    const otherMonthly = other.costs.running + (counted ? other.costs.wrong_answers : 0);
    const ownMonthly = own.costs.running + own.costs.maintenance + ownAnswers;
    const saving = otherMonthly - ownMonthly;
    const month = saving > 0 ? own.costs.one_time / saving : null;
    const gain = (otherMonthly - ownAnswers) / own.inputs.volume;
    const fixed = own.costs.one_time / own.inputs.horizon_months + own.costs.maintenance;
    const alike = counted ? "" : ", if it answers as well";
    const saved = `${dollars(otherMonthly)} - ${dollars(ownMonthly)} a month = ${dollars(saving)}${alike}`;
    const pays =
      month === null ? "never" : `${dollars(own.costs.one_time)} / ${dollars(saving)} = ${number(month)} months`;
    return {
      against: other.name,
      monthly_saving: saving,
      month,
      volume: breakEvenVolume(own, fixed, gain),
      how: `${saved}; ${pays}`,
    };
  }

  function breakEvenVolume(own, fixed, gain) {
    const { inputs, costs } = own;
    if (!inputs.always_on) {
      const left = gain - costs.running / inputs.volume;
      return left > 0 ? fixed / left : null;
    }
    const machine = MONTH_HOURS * inputs.machine_dollars_per_hour;
    if (gain <= 0) return null;
    if (costs.hours === 0) return (fixed + machine) / gain;
    const capacity = (inputs.volume * MONTH_HOURS) / costs.hours;
    const left = gain * capacity - machine;
    if (left <= 0) return null;
    const machines = Math.max(1, Math.ceil(fixed / left));
    return (fixed + machines * machine) / gain;
  }

  // Numbers as sentences show them.

  function number(value) {
    const text = fixed(value, places(value));
    return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
  }

  function dollars(value) {
    const text = fixed(value, places(value)).replace(/(\.\d\d\d*?)0+$/, "$1");
    return text.startsWith("-") ? `-$${text.slice(1)}` : `$${text}`;
  }

  function score(value) {
    return fixed(value, 3);
  }

  function percent(share) {
    return `${number(100 * share)} %`;
  }

  function places(value) {
    const size = Math.abs(value);
    if (size >= 1000) return 0;
    return size >= 1 ? 2 : size >= 0.001 ? 4 : 8;
  }

  function fixed(value, decimals) {
    const scale = 10 ** decimals;
    const rounded = Math.floor(Math.abs(value) * scale + 0.5) / scale;
    const [whole, part] = rounded.toFixed(decimals).split(".");
    const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
    return (value < 0 && rounded ? "-" : "") + (part ? `${grouped}.${part}` : grouped);
  }

  return Object.assign(decide, { number, dollars, score }); // for the page to show numbers as the sentences do
})();
