// Every table: its first rows, sorted by a column, filtered by words or a category, and all of them as a CSV file.
const MOST = 20;

function choice(name, options) {
  const select = document.createElement("select");
  select.setAttribute("aria-label", name);
  select.append(...options.map(text => new Option(text)));
  return select;
}

// The first column of words in which values repeat: a row's category, state or source.
function findCategory(rows, heads) {
  const values = at => [...new Set(rows.map(row => row.cells[at].textContent))].sort();
  const at = heads.findIndex((head, at) => head.className === "text" && values(at).length <= Math.min(MOST, rows.length / 2));
  return rows.length > MOST && at >= 0 && values(at).length > 1 ? { at, values: values(at) } : null;
}

function enhance(table) {
  const rows = [...table.tBodies[0].rows], heads = [...table.tHead.rows[0].cells];
  const bar = document.createElement("div"), count = document.createElement("span");
  const more = document.createElement("button"), save = document.createElement("button"), filter = document.createElement("input");
  const category = findCategory(rows, heads), names = heads.map(head => head.textContent);
  const picked = category && choice(names[category.at], [`${names[category.at]}: all`, ...category.values]);
  // A phone stacks the cells without their heads, and sorts by this.
  const order = choice("Sort by", ["Sort by", ...names.flatMap(name => [`${name} ▾`, `${name} ▴`])]);
  let shown = MOST, sorted = rows;

  function write() {
    const words = filter.value.toLowerCase(), only = picked && picked.selectedIndex > 0 ? picked.value : null;
    const kept = sorted.filter(row => row.textContent.toLowerCase().includes(words)
      && (only === null || row.cells[category.at].textContent === only));
    const seen = new Set(kept.slice(0, shown));
    table.tBodies[0].append(...sorted);
    sorted.forEach(row => { row.hidden = !seen.has(row); });
    [...seen].forEach((row, at) => row.classList.toggle("odd", at % 2 === 0));
    count.textContent = `${seen.size} of ${kept.length} rows`;
    more.hidden = kept.length <= MOST;
    more.textContent = shown === MOST ? `Show all ${kept.length}` : `Show ${MOST}`;
  }

  const value = (row, at) => row.cells[at].dataset.value ?? row.cells[at].textContent;
  const compare = (one, other) => (one !== "" && other !== "" && !isNaN(one) && !isNaN(other) ? one - other : one.localeCompare(other));

  function sort(at, direction) {
    heads.forEach(head => head.removeAttribute("aria-sort"));
    heads[at].setAttribute("aria-sort", direction);
    order.selectedIndex = 1 + 2 * at + (direction === "ascending");
    sorted = rows.toSorted((one, other) => (direction === "ascending" ? 1 : -1) * compare(value(one, at), value(other, at)));
    write();
  }

  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sort(at, head.getAttribute("aria-sort") === "descending" ? "ascending" : "descending"));
  });
  order.addEventListener("change", () => {
    const place = order.selectedIndex - 1;
    if (place >= 0) sort(place >> 1, place % 2 ? "ascending" : "descending");
  });

  more.addEventListener("click", () => { shown = shown === MOST ? rows.length : MOST; write(); });
  save.addEventListener("click", () => {
    // As in every CSV file of the project, a spreadsheet must not take a text for a formula.
    const plain = text => (/^[=+\-@\t\r]/.test(text) && isNaN(text) ? `'${text}` : text);
    const quoted = text => (/[",\n]/.test(text) ? `"${plain(text).replaceAll('"', '""')}"` : plain(text));
    const lines = [heads.map(head => head.dataset.column), ...sorted.map(row => heads.map((_, at) => value(row, at)))];
    const file = new Blob([lines.map(line => line.map(quoted).join(",")).join("\n") + "\n"], { type: "text/csv" });
    const name = `${table.closest("details").dataset.chart}.csv`;
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: name });
    link.click();
    URL.revokeObjectURL(link.href);
  });
  save.textContent = "Download CSV";
  filter.type = "search";
  filter.placeholder = "Filter the rows";
  filter.setAttribute("aria-label", "Filter the rows");
  filter.hidden = rows.length <= MOST;
  filter.addEventListener("input", write);
  if (picked) picked.addEventListener("change", write);
  order.className = "order";
  order.hidden = !table.classList.contains("stacked");
  [more, save].forEach(button => { button.type = "button"; });
  bar.className = "bar";
  bar.append(count, more, ...(picked ? [picked] : []), order, filter, save);
  table.closest(".scroll").before(bar);
  write();
}

document.querySelectorAll("main table").forEach(enhance);
