// The answers as a file, and back from one.
const COLUMNS = ["sample_id", "cell_id", "year", "lon", "lat", "class", "alternate", "remark"];

const placeOf = (row) => `${row.cell_id} ${Number(row.year)}`;
const byPlace = (list) => new Map(list.map((row) => [placeOf(row), row]));
const carriedByPage = byPlace(page.carried);
const taskAt = byPlace(tasks);
let carried = { of: null, rows: carriedByPage };

// Rows of other cells that the file holds too; of one cell and year the last that says something.
function carriedRows() {
  return [...carriedAt()].filter(([place]) => !taskAt.has(place) || !isAnswered(answerTo(taskAt.get(place)))).map(([, row]) => row);
}

function carriedAt() {
  if (carried.of !== state.loads) {
    const found = new Map(carriedByPage);
    for (const row of state.loads.flat()) {
      if (isAnswered(toAnswer(row)) || !found.has(placeOf(row))) found.set(placeOf(row), row);
    }
    carried = { of: state.loads, rows: found };
  }
  return carried.rows;
}

const isHeld = (row) => ["class", "alternate", "remark"].every((name) => carriedAt().get(placeOf(row))?.[name] === row[name]);

function rows() {
  return [...ownRows(), ...carriedRows()];
}

function ownRows() {
  return tasks.map((task) => {
    const answer = answerTo(task);
    const remark = [answer.flag, answer.note.trim()].filter(Boolean).join("; ");
    const { sample_id, cell_id, year, lon, lat } = task;
    return { sample_id, cell_id, year, lon, lat, class: answer.class, alternate: answer.alternate, remark };
  });
}

const quoted = (value) => (/[",\r\n]|^\s|\s$/u.test(value) ? `"${value.replaceAll('"', '""')}"` : value);

function toCsv() {
  const lines = rows().map((row) => COLUMNS.map((name) => quoted(String(row[name]))).join(","));
  return [COLUMNS.join(","), ...lines, ""].join("\n");
}

function toGeojson() {
  const features = rows().map((row) => ({
    type: "Feature",
    geometry: { type: "Point", coordinates: [row.lon, row.lat] },
    properties: row,
  }));
  return JSON.stringify({ type: "FeatureCollection", features });
}

// A comma, or what Excel writes: the one that the line of column names has most of.
function separatorOf(text) {
  const head = text.slice(0, text.search(/[\r\n]|$/u)).replace(/"[^"]*"/gu, "");
  const count = (sign) => head.split(sign).length;
  return [",", ";", "\t"].reduce((best, sign) => (count(sign) > count(best) ? sign : best));
}

function parseCsv(text) {
  const lines = [];
  let line = [], field = "", inside = false;
  const source = text.replace(/^\uFEFF/u, "");
  const separator = separatorOf(source);
  for (let i = 0; i < source.length; i += 1) {
    const sign = source[i];
    if (inside) {
      if (sign !== '"') field += sign;
      else if (source[i + 1] === '"') { field += '"'; i += 1; } else inside = false;
    } else if (sign === '"') inside = true;
    else if (sign === separator) { line.push(field); field = ""; } else if (sign === "\n") {
      lines.push([...line, field]);
      line = []; field = "";
    } else if (sign !== "\r") field += sign;
  }
  if (field || line.length) lines.push([...line, field]);
  const [head, ...body] = lines;
  if (!head) return [];
  return body.filter((each) => each.length > 1).map((each) => Object.fromEntries(head.map((name, i) => [name.trim(), each[i] ?? ""])));
}

function parseFile(text) {
  const found = text.trimStart().startsWith("{")
    ? (JSON.parse(text).features || []).map((each) => each.properties || {})
    : parseCsv(text);
  const missing = ["sample_id", "year", "class"].filter((name) => !found.length || !(name in found[0]));
  if (missing.length) throw new Error(`it has no column ${missing.join(", ")}`);
  return found;
}

function toAnswer(row) {
  const text = (name) => (row[name] === null || row[name] === undefined ? "" : String(row[name]));
  const [, flag = "", note] = /^(?:(unsure|mixed)(?:;\s*|$))?(.*)$/su.exec(text("remark"));
  return { class: tidy(text("class")), alternate: tidy(text("alternate")), flag, note, skipped: false };
}

// The row of a cell that this page does not ask for; null where it does not say where that is.
function toCarried(row, answer, isTask) {
  const number = (value) => Number.parseFloat(String(value).replace(",", "."));
  const [lon, lat] = [number(row.lon), number(row.lat)];
  if (!row.cell_id || !Number.isFinite(lon) || !Number.isFinite(lat)) return null;
  return {
    sample_id: isTask ? "earlier" : String(row.sample_id ?? ""), cell_id: String(row.cell_id), year: Number(row.year) || "",
    lon, lat, class: answer.class, alternate: answer.alternate, remark: [answer.flag, answer.note].filter(Boolean).join("; "),
  };
}

// Takes the answers of a file; says in a sentence what became of its rows.
function takeFile(text) {
  const known = new Map(tasks.map((task) => [nameOf(task), task]));
  const taken = {};
  const others = [];
  let held = 0, foreign = 0, nowhere = 0, refused = 0, classes = state.classes;
  const read = parseFile(text);
  const names = read.map((row) => `${row.sample_id} ${Number(row.year)}`);
  // Of another page the old label of a cell that is asked for again is no answer to that.
  const found = new Set(names);
  const isOwn = tasks.every((task) => found.has(nameOf(task)));
  for (const [i, row] of read.entries()) {
    const name = names[i];
    const answer = toAnswer(row);
    const given = known.get(name)?.given;
    if (!known.has(name) || (given && given === answer.class && !isOwn)) {
      const other = toCarried(row, answer, known.has(name));
      if (page.kind === "reference") foreign += 1;
      else if (!other) nowhere += 1;
      else {
        classes = [answer.class].filter(Boolean).reduce(withClass, classes);
        if (isHeld(other)) held += 1; else others.push(other);
      }
      continue;
    }
    if (!isAnswered(answer) && !answer.note) continue;
    const named = [answer.class, answer.alternate].filter(Boolean);
    if (page.kind === "reference" && named.some((each) => !classes.some((one) => one.name === each))) { refused += 1; continue; }
    classes = named.reduce(withClass, classes);
    taken[name] = answer;
  }
  const count = Object.keys(taken).length;
  if (count || others.length) change(taken, classes, others);
  const said = [`${count} answers taken from the file.`];
  if (foreign) said.push(`${foreign} of its rows are of other cells than this page's and were left out.`);
  if (others.length + held) said.push(`${others.length + held} rows of other cells go into the next file as well.`);
  if (nowhere) said.push(`${nowhere} rows do not say where they are (cell_id, lon, lat) and were left out.`);
  if (refused) said.push(`${refused} rows name a class that this page does not have and were left out.`);
  return said.join(" ");
}

function download(text, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  state.changes = 0;
}
