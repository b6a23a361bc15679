// What is pressed: keys, buttons, files.
function done(said = "", at = state.at) {
  if (at !== state.at) $("note").blur();
  state.at = at;
  mode = "";
  largest = "";
  message = said;
  save();
  show();
}

function answer(given) {
  const task = tasks[state.at];
  const before = answerTo(task);
  const next = { ...EMPTY, note: before.note, ...given };
  // A second class of a mixed cell goes with its first; an alternate stays.
  if (given.alternate === undefined && before.flag !== "mixed") next.alternate = before.alternate;
  if (next.alternate === next.class) next.alternate = "";
  change({ [nameOf(task)]: next });
  const words = [next.flag, next.class, next.alternate && `or ${next.alternate}`].filter(Boolean).join(", ");
  done(`${words} – cell ${state.at + 1}.`, nextOpen());
}

function setAlternate(name) {
  const task = tasks[state.at];
  const before = answerTo(task);
  if (before.class === name) return done(`${name} is the class already: choose another as the alternate.`);
  const alternate = before.alternate === name ? "" : name;
  change({ [nameOf(task)]: { ...before, alternate, skipped: false } });
  return done(alternate ? `Alternate: ${name}. Now press the class.` : "No alternate.");
}

function press(position, asAlternate = false) {
  const name = state.classes[position]?.name;
  if (name === undefined) return;
  if (page.kind === "reference" && (asAlternate || mode === "alternate")) setAlternate(name);
  else if (mode === "unsure") answer({ class: name, flag: "unsure" });
  else if (mode === "mixed") { mode = "second"; largest = name; show(); } else if (mode === "second") {
    if (name !== largest) answer({ class: largest, alternate: name, flag: "mixed" });
  } else answer({ class: name });
}

function setMode(wanted) {
  mode = mode === wanted ? "" : wanted;
  message = "";
  show();
}

const actions = {
  unsure: () => (mode === "unsure" ? answer({ flag: "unsure", alternate: "" }) : setMode("unsure")),
  mixed: () => (mode === "second" ? setMode("second") : setMode("mixed")),
  alternate: () => page.kind === "reference" && setMode("alternate"),
  skip: () => {
    const task = tasks[state.at];
    const before = answerTo(task);
    if (isAnswered(before)) return done("This cell has an answer already; it stays.", nextOpen());
    change({ [nameOf(task)]: { ...before, skipped: true } });
    return done(`Skipped cell ${state.at + 1}.`, nextOpen());
  },
  undo: () => done(undo() ? "Undone." : "Nothing to undo."),
  back: () => done("", Math.max(0, state.at - 1)),
  forward: () => done("", Math.min(tasks.length - 1, state.at + 1)),
  keep: () => {
    const { given } = tasks[state.at];
    if (!given) return;
    if (!state.classes.some((each) => each.name === given)) state.classes = withClass(state.classes, given);
    answer({ class: given });
  },
  enter: () => (mode === "second" ? answer({ class: largest, flag: "mixed", alternate: "" }) : actions.keep()),
  "help-open": () => $("help").showModal(),
  csv: () => { download(toCsv(), fileName("csv"), "text/csv;charset=utf-8"); done("The CSV is downloaded."); },
  geojson: () => { download(toGeojson(), fileName("geojson"), "application/geo+json"); done("The GeoJSON is downloaded."); },
  load: () => $("file").click(),
};

const fileName = (suffix) => `${page.kind === "reference" ? "reference_labels" : "labels"}.${suffix}`;

const BY_KEY = {
  "?": "unsure", m: "mixed", a: "alternate", s: "skip", " ": "skip", u: "undo", Backspace: "undo",
  ArrowLeft: "back", ArrowRight: "forward", Enter: "enter", h: "help-open",
};

// A digit with Shift gives another sign on most keyboards; on some the digits need Shift.
function positionOf(event) {
  const position = KEYS.indexOf(event.key.toLowerCase());
  if (event.key.length === 1 && position >= 0) return [position, event.shiftKey && !/\d/u.test(event.key)];
  const digit = /^Digit([1-9])$/u.exec(event.code);
  return digit && event.shiftKey ? [Number(digit[1]) - 1, true] : [-1, false];
}

function onKey(event) {
  if (document.querySelector("dialog[open]")) {
    if (event.key === "h") { $("help").close(); event.preventDefault(); }
    return;
  }
  if (event.target.matches("input")) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target.id === "note")) {
      event.target.blur();
      event.preventDefault();
    }
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") { actions.undo(); event.preventDefault(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if ([" ", "Enter"].includes(event.key) && event.target.matches("button")) return;
  const [position, asAlternate] = BY_KEY[event.key] ? [-1, false] : positionOf(event);
  if (event.key === "Escape") setMode("");
  else if (event.key === "r") $("note").focus();
  else if (event.key === "n" && $("new-name")) $("new-name").focus();
  else if (BY_KEY[event.key]) actions[BY_KEY[event.key]]();
  else if (position >= 0) press(position, asAlternate);
  else return;
  event.preventDefault();
}

let doubted = ""; // a name that is spelled almost like another, and was warned of

function nameClass(event) {
  event.preventDefault();
  const name = tidy($("new-name").value);
  if (!plain(name)) { message = "A class needs a name with a letter or a digit."; show(); return; }
  const same = state.classes.find((each) => each.name === name);
  const alike = state.classes.find((each) => plain(each.name) === plain(name));
  if (same) message = `There is a class ${name} already.`;
  else if (alike && doubted !== name) {
    doubted = name;
    message = `“${name}” is spelled almost like “${alike.name}”: press Add again if they are two classes.`;
  } else {
    change({}, withClass(state.classes, name));
    $("new-name").value = "";
    $("new-name").blur();
    done(`New class ${name}.`);
    return;
  }
  show();
}

async function loadFile() {
  const [file] = $("file").files;
  $("file").value = "";
  if (!file) return;
  try {
    done(takeFile(await file.text()));
  } catch (error) {
    done(`${file.name} was not read: ${error.message}. Give a file that was downloaded from this page.`);
  }
}

function writeNote() {
  const name = nameOf(tasks[state.at]);
  state.answers[name] = { ...(state.answers[name] || EMPTY), note: $("note").value };
  state.changes += 1;
  save();
  showProgress(countBy());
}

for (const [id, act] of Object.entries(actions)) $(id)?.addEventListener("click", act);
$("classes").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) press(Number(button.dataset.position), event.shiftKey);
});
// A button that was clicked must not take the space bar from the next cell.
document.addEventListener("click", (event) => { if (event.detail && document.activeElement?.matches("button")) document.activeElement.blur(); });
document.addEventListener("keydown", onKey);
$("new-class")?.addEventListener("submit", nameClass);
$("note").addEventListener("input", writeNote);
$("file").addEventListener("change", loadFile);
for (const name of ["help", "large"]) $(`${name}-close`).addEventListener("click", () => $(name).close());
$("large-picture").addEventListener("click", () => $("large").close());
window.addEventListener("storage", (event) => { if ([store, `${store} loads`].includes(event.key)) { const { at } = state; restore(); state.at = at; show(); } });
window.addEventListener("beforeunload", (event) => { if (!storageWorks && state.changes) event.preventDefault(); });

restore();
save();
show();
if (!state.classes.length) $("new-name")?.focus({ preventScroll: true });
