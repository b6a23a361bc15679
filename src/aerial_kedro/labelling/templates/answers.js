// The answers: what they are, how they change, and how the browser keeps them.
const page = JSON.parse(document.getElementById("data").textContent);
const tasks = page.tasks;
const store = `aerial_kedro label page ${page.key}`;
const KEYS = "123456789bcdefgijklopqtvwxyz"; // the other letters have a meaning of their own
const MOST_UNDO = 1000;
const EMPTY = Object.freeze({ class: "", alternate: "", flag: "", note: "", skipped: false });

// `loads`: of each file that was loaded, its rows of other cells than this page's.
const state = { classes: page.classes.map((each) => ({ ...each })), answers: {}, at: 0, undo: [], changes: 0, loads: [] };
let storageWorks = true;
let storedLoads = state.loads; // large, and seldom another

const nameOf = (task) => `${task.sample_id} ${task.year}`;
const answerTo = (task) => state.answers[nameOf(task)] || EMPTY;
const isAnswered = (answer) => Boolean(answer.class || answer.flag);
const isOpen = (task) => !isAnswered(answerTo(task)) && !answerTo(task).skipped;

function save() {
  const { classes, answers, at, undo, changes } = state;
  try {
    localStorage.setItem(store, JSON.stringify({ classes, answers, at, undo, changes }));
    if (storedLoads !== state.loads) localStorage.setItem(`${store} loads`, JSON.stringify(state.loads));
    storedLoads = state.loads;
    storageWorks = true;
  } catch {
    storageWorks = false;
  }
}

function restore() {
  try {
    const kept = JSON.parse(localStorage.getItem(store) || "null");
    if (!kept) return;
    Object.assign(state, kept);
    state.loads = JSON.parse(localStorage.getItem(`${store} loads`) || "[]");
    storedLoads = state.loads;
    state.at = Math.min(Math.max(0, state.at), tasks.length - 1);
  } catch {
    storageWorks = false;
  }
}

// Puts answers in place of others, in one step of undo.
function change(answers, classes = state.classes, load = []) {
  const before = {};
  for (const [name, answer] of Object.entries(answers)) {
    before[name] = state.answers[name] || null;
    state.answers[name] = answer;
  }
  const named = classes.length === state.classes.length ? undefined : state.classes;
  state.undo.push({ at: state.at, before, classes: named, loads: state.loads.length });
  if (state.undo.length > MOST_UNDO) state.undo.shift();
  state.classes = classes;
  if (load.length) state.loads = [...state.loads, load];
  state.changes += 1;
}

function undo() {
  const step = state.undo.pop();
  if (!step) return false;
  for (const [name, answer] of Object.entries(step.before)) {
    if (answer) state.answers[name] = answer;
    else delete state.answers[name];
  }
  if (step.classes) state.classes = step.classes;
  if (step.loads < state.loads.length) state.loads = state.loads.slice(0, step.loads);
  state.at = step.at;
  state.changes += 1;
  return true;
}

// The next cell without an answer, else one that was skipped, else the same.
function nextOpen() {
  const ahead = tasks.map((_, i) => (state.at + 1 + i) % tasks.length);
  const open = ahead.find((i) => isOpen(tasks[i]));
  if (open !== undefined) return open;
  const skipped = ahead.find((i) => !isAnswered(answerTo(tasks[i])));
  return skipped === undefined ? state.at : skipped;
}

const plain = (name) => name.normalize("NFKC").toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
const tidy = (name) => name.normalize("NFC").replace(/\s+/gu, " ").trim();

function colourOf(position) {
  const free = page.spare.filter((each) => !state.classes.some((one) => one.colour === each));
  return free.length ? free[0] : page.spare[position % page.spare.length];
}

function withClass(classes, name) {
  if (classes.some((each) => each.name === name)) return classes;
  return [...classes, { name, colour: colourOf(classes.length) }];
}

function countBy() {
  const found = { answered: 0, skipped: 0, unsure: 0, mixed: 0, classes: new Map() };
  for (const task of tasks) {
    const answer = answerTo(task);
    if (isAnswered(answer)) found.answered += 1;
    else if (answer.skipped) found.skipped += 1;
    if (answer.flag) found[answer.flag] += 1;
    else if (answer.class) found.classes.set(answer.class, (found.classes.get(answer.class) || 0) + 1);
  }
  return found;
}
