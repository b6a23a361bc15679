// What is seen: pictures, classes, progress. Text is set as text, never as HTML.
const $ = (id) => document.getElementById(id);
const SIDE = 7;
let mode = ""; // "", unsure, mixed, second, alternate
let largest = ""; // of a mixed cell, while the second is asked for
let message = "";

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
};

// Where the cell lies, in percent of the picture.
function outline(number, scale) {
  const row = Math.floor(number / SIDE), column = number % SIDE;
  const side = scale === "tile" ? 100 / SIDE : 100 / (3 * SIDE);
  const first = scale === "tile" ? 0 : 100 / 3;
  const mark = make("span", { className: "outline" });
  Object.assign(mark.style, {
    left: `${first + column * side}%`, top: `${first + row * side}%`, width: `${side}%`, height: `${side}%`,
  });
  return mark;
}

const SCALES = { tile: "Tile", cell: "The cell", around: "Around" };

function picture(task, view, scale) {
  const image = make("img", { src: page.pictures[view[scale]], alt: "", draggable: false });
  const frame = make("span", { className: `frame ${scale}` }, image);
  if (scale !== "cell") frame.append(outline(task.number, scale));
  return frame;
}

function viewOf(task, view) {
  const asked = view.year === task.year;
  const several = task.views.length > 1;
  const mark = asked ? " – label this year" : " – to compare";
  const column = make("div", { className: `year${asked && several ? " asked" : ""}` });
  column.append(make("h2", {}, String(view.year), make("span", { className: "mark" }, several ? mark : "")));
  for (const scale of Object.keys(SCALES)) {
    if (view[scale] === null) continue;
    const button = make("button", { type: "button", className: `picture ${scale}` }, picture(task, view, scale));
    button.setAttribute("aria-label", `${SCALES[scale]} in ${view.year}: enlarge`);
    button.append(make("span", { className: "scale", ariaHidden: "true" }, SCALES[scale]));
    button.addEventListener("click", () => enlarge(task, view, scale));
    column.append(button);
  }
  return column;
}

function enlarge(task, view, scale) {
  $("large-picture").replaceChildren(picture(task, view, scale));
  $("large").showModal();
}

function showTask() {
  const task = tasks[state.at];
  const views = $("views");
  views.replaceChildren(...task.views.map((view) => viewOf(task, view)));
  views.className = task.views.length > 1 ? "several" : "one";
  $("asked").replaceChildren("What is the outlined cell in ", make("strong", {}, String(task.year)), "?");
  $("why").textContent = task.why;
  $("why").hidden = !task.why;
  $("place").textContent = `${task.cell_id} · ${task.lat.toFixed(5)}, ${task.lon.toFixed(5)} (latitude, longitude)`;
  $("position").textContent = `${state.at + 1} / ${tasks.length}`;
  $("back").disabled = state.at === 0;
  $("forward").disabled = state.at === tasks.length - 1;
  if (document.activeElement !== $("note")) $("note").value = answerTo(task).note;
  const keep = $("keep");
  keep.hidden = !task.given;
  if (task.given) keep.replaceChildren(`Keep ${task.given} `, make("kbd", {}, "Enter"));
}

function showAnswer() {
  const answer = answerTo(tasks[state.at]);
  const parts = [answer.flag, answer.class, answer.alternate ? `or ${answer.alternate}` : ""].filter(Boolean);
  const words = parts.length ? `Your answer: ${parts.join(", ")}` : answer.skipped ? "Skipped" : "No answer yet";
  $("answered").textContent = words;
  $("answered").classList.toggle("open", !parts.length);
}

function showClasses(counts) {
  const answer = answerTo(tasks[state.at]);
  const buttons = state.classes.map(({ name, colour }, i) => {
    const swatch = make("span", { className: "swatch", ariaHidden: "true" });
    swatch.style.backgroundColor = colour;
    const count = make("span", { className: "number" }, String(counts.classes.get(name) || 0));
    count.setAttribute("aria-label", `, ${counts.classes.get(name) || 0} so far`);
    const button = make("button", { type: "button", className: "class" }, swatch, make("span", { className: "name" }, name), count);
    if (KEYS[i]) button.append(make("kbd", {}, KEYS[i]));
    button.setAttribute("aria-pressed", String(answer.class === name));
    if (answer.alternate === name) button.classList.add("second");
    button.dataset.position = i;
    return button;
  });
  if (!buttons.length) buttons.push(make("p", { className: "none" }, "No class yet: name the first one below, such as Forest."));
  const focused = document.activeElement?.dataset?.position;
  $("classes").replaceChildren(...buttons);
  if (focused !== undefined) buttons[focused]?.focus();
}

const PROMPTS = {
  unsure: "Unsure: press a class for your best guess, or ? again for none.",
  mixed: "Mixed: press the class that covers most of the cell.",
  alternate: "Alternate: press the class that would be right too.",
};

function showProgress(counts) {
  const { answered, skipped, unsure, mixed } = counts;
  $("bar").max = tasks.length;
  $("bar").value = answered;
  const parts = [`${answered} of ${tasks.length} answered`];
  if (skipped) parts.push(`${skipped} skipped`);
  if (unsure) parts.push(`${unsure} unsure`);
  if (mixed) parts.push(`${mixed} mixed`);
  $("count").textContent = parts.join(" · ");
  const second = `Mixed: mostly ${largest}. Press the second class, or Enter for none.`;
  const finished = answered === tasks.length ? "All cells are answered: download the file." : "";
  const said = mode === "second" ? second : PROMPTS[mode] || message || finished;
  if ($("said").textContent !== said) $("said").textContent = said;
  $("said").classList.toggle("asks", Boolean(mode));
  const pressed = { unsure: mode === "unsure", mixed: mode === "mixed" || mode === "second", alternate: mode === "alternate" };
  for (const [id, on] of Object.entries(pressed)) $(id)?.setAttribute("aria-pressed", String(on));
  const others = carriedRows().length;
  $("carried").hidden = !others && !page.too_many;
  $("carried").textContent = others
    ? `The file will hold ${others.toLocaleString("en")} earlier labels too.`
    : `${page.too_many.toLocaleString("en")} cells are labelled already, too many for this page to carry: load their file here, or add this page's rows to it.`;
  $("undo").disabled = !state.undo.length;
  const changes = state.changes === 1 ? "1 change" : `${state.changes} changes`;
  $("kept").textContent = state.changes ? `${changes} since the last download.` : answered ? "All answers are downloaded." : "";
}

function show() {
  const counts = countBy();
  showTask();
  showAnswer();
  showClasses(counts);
  showProgress(counts);
  $("warning").hidden = storageWorks;
  $("warning").textContent = storageWorks
    ? ""
    : "This browser keeps nothing for this page: download the file before you close or reload it, or all answers are lost.";
}
