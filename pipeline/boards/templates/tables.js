// Every table: its first rows, sorted by a column, filtered by words, and all of them as a CSV file.
const MOST = 20;

function enhance(table) {
  const rows = [...table.tBodies[0].rows], heads = [...table.tHead.rows[0].cells];
  const bar = document.createElement("div"), count = document.createElement("span");
  const more = document.createElement("button"), save = document.createElement("button"), filter = document.createElement("input");
  let shown = MOST, sorted = rows;

  function write() {
    const words = filter.value.toLowerCase(), kept = sorted.filter(row => row.textContent.toLowerCase().includes(words));
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

  heads.forEach((head, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const order = head.getAttribute("aria-sort") === "descending" ? "ascending" : "descending";
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      sorted = rows.toSorted((one, other) => (order === "ascending" ? 1 : -1) * compare(value(one, at), value(other, at)));
      write();
    });
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
  [more, save].forEach(button => { button.type = "button"; });
  bar.className = "bar";
  bar.append(count, more, filter, save);
  table.closest(".scroll").before(bar);
  write();
}

document.querySelectorAll("main table").forEach(enhance);
