const tables = JSON.parse(document.getElementById("tables").textContent);
const byName = new Map(tables.map(table => [table.name, table]));
const [chooser, picker, graph] = ["table", "column", "graph"].map(id => document.getElementById(id));
const first = chooser.value;
const key = (table, column) => column ? `${table}/${column}` : table;

// What a node, a table or `table/column`, is made of, and what is made of it.
const makers = new Map(), users = new Map();
const add = (map, from, to) => map.set(from, [...(map.get(from) || []), to]);
for (const table of tables) {
  for (const read of table.reads) { add(makers, table.name, read); add(users, read, table.name); }
  for (const [column, madeOf] of Object.entries(table.columns)) {
    for (const [name, from] of madeOf) {
      add(makers, key(table.name, column), key(name, from));
      add(users, key(name, from), key(table.name, column));
    }
  }
}

// The nodes on one side of a node, each with its longest way to it.
function reached(start, next) {
  const levels = new Map([[start, 0]]), ahead = [start];
  while (ahead.length) {
    const node = ahead.shift();
    for (const other of next.get(node) || []) {
      if ((levels.get(other) || 0) <= levels.get(node) && other !== start) {
        levels.set(other, levels.get(node) + 1);
        ahead.push(other);
      }
    }
  }
  return levels;
}

function link(node, words) {
  const made = Object.assign(document.createElement("a"), { href: `#${node}`, textContent: words });
  return made;
}

function box(table, nodes, chosen) {
  const made = document.createElement("div");
  made.className = `box ${byName.get(table).kind}${chosen ? " chosen" : ""}`;
  made.append(Object.assign(link(table, table), { className: "title", id: `n-${table}` }));
  for (const node of nodes.filter(node => node !== table)) {
    made.append(Object.assign(link(node, node.split("/")[1]), { id: `n-${node}` }));
  }
  return made;
}

function draw(start) {
  const before = reached(start, makers), after = reached(start, users), levels = new Map();
  const places = [...[...before].map(([node, level]) => [node, -level]), ...[...after].slice(1)];
  for (const [node, level] of places) {
    const table = node.split("/")[0], boxes = levels.get(level) || levels.set(level, new Map()).get(level);
    boxes.set(table, [...(boxes.get(table) || []), node]);
  }
  graph.replaceChildren(...[...levels].sort(([one], [other]) => one - other).map(([level, boxes]) => {
    const made = Object.assign(document.createElement("div"), { className: "level" });
    made.append(...[...boxes].map(([table, nodes]) => box(table, nodes, level === 0)));
    return made;
  }));
  const drawn = new Set(places.map(([node]) => node));
  connect([...drawn].flatMap(node => (users.get(node) || []).filter(user => drawn.has(user)).map(user => [node, user])));
  const scroll = graph.parentElement, middle = graph.querySelector(".chosen");
  scroll.scrollLeft = middle.offsetLeft + middle.parentElement.offsetLeft + middle.offsetWidth / 2 - scroll.clientWidth / 2;
  scroll.scrollTop = middle.offsetTop + middle.parentElement.offsetTop - scroll.clientHeight / 2;
}

function connect(pairs) {
  const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg"), origin = graph.getBoundingClientRect();
  lines.setAttribute("aria-hidden", "true");
  for (const [from, to] of pairs) {
    const [one, other] = [from, to].map(node => document.getElementById(`n-${node}`).getBoundingClientRect());
    const x1 = one.right + 12 - origin.left, x2 = other.left - 12 - origin.left, bend = Math.max(20, (x2 - x1) / 2);
    const y1 = one.top + one.height / 2 - origin.top, y2 = other.top + other.height / 2 - origin.top;
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`);
    lines.append(line);
  }
  graph.prepend(lines);
}

function list(table) {
  const cell = (label, nodes) => {
    const made = document.createElement("td"), words = document.createElement("span");
    made.dataset.label = label;
    words.append(...nodes.flatMap((node, at) => [at ? ", " : "", link(node, node.replace("/", "."))]));
    if (nodes.length) made.append(words);
    return made;
  };
  document.querySelector("#columns tbody").replaceChildren(...Object.keys(table.columns).map(column => {
    const row = document.createElement("tr"), node = key(table.name, column), named = cell("Column", []);
    named.append(link(node, column));
    row.append(named, cell("Made of", makers.get(node) || []), cell("Used for", users.get(node) || []));
    return row;
  }));
}

function show() {
  const [wanted, column] = decodeURIComponent(location.hash.slice(1)).split("/");
  const table = byName.get(wanted) || byName.get(first), columns = Object.keys(table.columns);
  const chosen = columns.includes(column) ? column : "";
  chooser.value = table.name;
  picker.replaceChildren(...["", ...columns].map(name => new Option(name || "all of them", name, false, name === chosen)));
  document.getElementById("about").textContent = table.about;
  document.getElementById("heading").textContent = `Columns of ${table.name}`;
  list(table);
  draw(key(table.name, chosen));
}

chooser.addEventListener("change", () => { location.hash = chooser.value; });
picker.addEventListener("change", () => { location.hash = key(chooser.value, picker.value); });
addEventListener("hashchange", show);
addEventListener("resize", show);
// Lines go from box to box, whose size depends on the font.
document.fonts.ready.then(show);
show();
