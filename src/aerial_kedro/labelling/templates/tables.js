// The answers as a file, and back from one.
const COLUMNS = ["sample_id", "cell_id", "year", "lon", "lat", "class", "alternate", "remark"];

function rows() {
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

function parseCsv(text) {
  const lines = [];
  let line = [], field = "", inside = false;
  const source = text.replace(/^\uFEFF/u, "");
  for (let i = 0; i < source.length; i += 1) {
    const sign = source[i];
    if (inside) {
      if (sign !== '"') field += sign;
      else if (source[i + 1] === '"') { field += '"'; i += 1; } else inside = false;
    } else if (sign === '"') inside = true;
    else if (sign === ",") { line.push(field); field = ""; } else if (sign === "\n") {
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

// Takes the answers of a file; says in a sentence what became of its rows.
function takeFile(text) {
  const known = new Set(tasks.map(nameOf));
  const taken = {};
  let foreign = 0, refused = 0, classes = state.classes;
  for (const row of parseFile(text)) {
    const name = `${row.sample_id} ${Number(row.year)}`;
    const answer = toAnswer(row);
    if (!known.has(name)) { foreign += 1; continue; }
    if (!isAnswered(answer) && !answer.note) continue;
    const named = [answer.class, answer.alternate].filter(Boolean);
    if (page.kind === "reference" && named.some((each) => !classes.some((one) => one.name === each))) { refused += 1; continue; }
    classes = named.reduce(withClass, classes);
    taken[name] = answer;
  }
  const count = Object.keys(taken).length;
  if (count) change(taken, classes);
  const said = [`${count} answers taken from the file.`];
  if (foreign) said.push(`${foreign} of its rows are of other cells than this page's and were left out.`);
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
