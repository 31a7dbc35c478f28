"use strict";
// Sorting and filtering of the tables. Without it the page is as readable, in the order it was written.
{
  const collator = new Intl.Collator("en", { numeric: true });

  function makeSortable(table) {
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "sort";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sortBy(table, heads, column));
      head.append(button);
      head.setAttribute("aria-sort", "none");
    });
  }

  // The first click puts the largest number, or the first word, on top; the next one turns the order around.
  function sortBy(table, heads, column) {
    const head = heads[column];
    const rows = [...table.tBodies[0].rows].map((row) => ({ row, cell: row.cells[column] }));
    const numeric = rows.some(({ cell }) => cell.dataset.value !== undefined);
    const first = numeric ? "descending" : "ascending";
    const second = numeric ? "ascending" : "descending";
    const order = head.getAttribute("aria-sort") === first ? second : first;
    const sign = order === "ascending" ? 1 : -1;
    rows.sort((a, b) => isEmpty(a.cell, numeric) - isEmpty(b.cell, numeric) || sign * compare(a.cell, b.cell, numeric));
    heads.forEach((each) => each.setAttribute("aria-sort", each === head ? order : "none"));
    table.tBodies[0].append(...rows.map(({ row }) => row));
  }

  function isEmpty(cell, numeric) {
    return cell.classList.contains("na") || (numeric && cell.dataset.value === undefined);
  }

  function compare(a, b, numeric) {
    if (numeric) return (Number(a.dataset.value) || 0) - (Number(b.dataset.value) || 0);
    return collator.compare(a.textContent, b.textContent);
  }

  function makeFilterable(table) {
    const rows = [...table.tBodies[0].rows];
    const kinds = [...new Set(rows.map((row) => row.dataset.kind))];
    if (rows.length < 2) return;
    const form = document.createElement("form");
    form.className = "filter";
    form.setAttribute("aria-label", `Filter ${table.caption.textContent}`);
    const words = labelled(form, "Rows with", "search");
    const boxes = kinds.length > 1 ? kinds.map((kind) => labelled(form, kind, "checkbox")) : [];
    const count = document.createElement("span");
    count.setAttribute("role", "status");
    form.append(count);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", () => {
      const shown = new Set(kinds.filter((_, place) => !boxes.length || boxes[place].checked));
      const sought = words.value.trim().toLowerCase();
      for (const row of rows) {
        row.hidden = !shown.has(row.dataset.kind) || !nameOf(row).includes(sought);
      }
      count.textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows`;
    });
    table.parentElement.before(form);
  }

  // The name alone, without the links below it.
  function nameOf(row) {
    return row.cells[0].firstChild.textContent.toLowerCase();
  }

  function labelled(form, text, type) {
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = type;
    input.checked = type === "checkbox";
    label.append(...(type === "checkbox" ? [input, text] : [text, input]));
    form.append(label);
    return input;
  }

  // Thousands of cells are empty, each for the reason that rows of its kind have: said once, it is small.
  function sayWhyEmpty() {
    const why = JSON.parse(document.getElementById("empty").textContent);
    for (const cell of document.querySelectorAll("table.main td.na")) cell.title = why[cell.parentElement.dataset.kind];
  }

  sayWhyEmpty();
  document.querySelectorAll("table.main, table.own").forEach(makeSortable);
  document.querySelectorAll("table.main").forEach(makeFilterable);
}
