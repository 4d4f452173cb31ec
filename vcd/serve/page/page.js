// The page of the service: asks, watches, shows. Everything from outside enters the document as text.
import { Player, clock } from "./player.js";

const PAGE_SIZE = 100;
const at = (id) => document.getElementById(id);
const player = new Player();
let role = null;
let shownJob = "";
let offset = 0;

const span = (start, end) => (start === end ? clock(start) : `${clock(start)} to ${clock(end)}`);

function headers() {
  const key = sessionStorage.getItem("key");
  return key ? { Authorization: `Bearer ${key}` } : {};
}

async function call(method, path, body) {
  const how = { method, headers: headers() };
  if (body !== undefined) {
    how.headers["Content-Type"] = "application/json";
    how.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(`/api/v1${path}`, how);
  } catch {
    throw new Error("the service does not answer");
  }
  const content = response.status === 204 ? null : await response.json().catch(() => null);
  if (response.status === 401) askForKey();
  if (!response.ok) throw new Error(content?.message ?? `the service answered ${response.status}`);
  return content;
}

function upload(path, file, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const form = new FormData();
    form.append("media", file);
    request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(1, event.total));
    request.onerror = () => reject(new Error("the upload broke off"));
    request.onload = () => {
      let content = null;
      try { content = JSON.parse(request.responseText); } catch { /* told by the status */ }
      if (request.status === 401) askForKey();
      if (request.status < 300) resolve(content);
      else reject(new Error(content?.message ?? `the service answered ${request.status}`));
    };
    request.open("POST", `/api/v1${path}`);
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.send(form);
  });
}

async function until(job, onProgress) {
  for (let wait = 250; job.state === "queued" || job.state === "running"; wait = Math.min(2000, wait * 1.3)) {
    onProgress(job);
    await new Promise((resolve) => setTimeout(resolve, wait));
    job = await call("GET", `/jobs/${job.id}`);
  }
  if (job.error) throw new Error(`${job.name}: ${job.error.message}`);
  return job;
}

// --- Querying.

async function ask(file) {
  clearAnswer();
  try {
    const job = await upload("/queries?wait_s=0&report=true", file, (share) => tell(`Sending ${file.name}`, share));
    shownJob = job.id;
    history.replaceState(null, "", `#job=${job.id}`);
    await follow(job);
  } catch (error) {
    fail(error);
  }
  at("clip").value = "";
}

async function follow(job) {
  const done = await until(job, (now) => {
    const queued = now.state === "queued";
    tell(queued ? `${now.name} waits for its turn` : `Looking for ${now.name} in the library`, queued ? null : now.progress);
  });
  at("status-box").hidden = true;
  if (done.id === shownJob) showAnswer(done);
}

function tell(text, share) {
  at("status-box").hidden = false;
  if (at("status").textContent !== text) at("status").textContent = text;
  if (share === null) at("progress").removeAttribute("value");
  else at("progress").value = share;
}

function fail(error) {
  at("status-box").hidden = true;
  at("error").textContent = error.message;
}

function clearAnswer() {
  player.stop();
  at("error").textContent = "";
  at("answer").hidden = at("player").hidden = true;
}

function showAnswer(job) {
  const { segments, media, problems } = job.result;
  at("error").textContent = problems.map((problem) => problem.reason).join("; ");
  const names = new Set(segments.map((segment) => segment.title));
  at("verdict").textContent = segments.length
    ? `${job.name} is copied from ${names.size === 1 ? segments[0].title : `${names.size} references`}`
    : `No copy found: nothing in ${job.name} comes from the library`;
  at("as-json").href = `/api/v1/jobs/${job.id}`;
  at("report-item").hidden = !job.report || !segments.length;
  if (job.report) at("report").href = job.report;
  const look = segments.map((segment) => () => openPlayer(job, segment));
  at("timeline").hidden = !segments.length || !media.duration_s;
  at("timeline").replaceChildren(...segments.map((segment, number) => mark(segment, media, look[number])));
  at("segments").hidden = !segments.length;
  at("segments").tBodies[0].replaceChildren(...segments.map((segment, number) => segmentRow(segment, look[number])));
  at("answer").hidden = false;
  at("verdict").focus();
}

function mark(segment, media, look) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = segment.title;
  button.setAttribute("aria-label", `${span(segment.q_start, segment.q_end)}: copied from ${segment.title}`);
  button.style.left = `${(100 * segment.q_start) / media.duration_s}%`;
  button.style.width = `${(100 * (segment.q_end - segment.q_start)) / media.duration_s}%`;
  button.addEventListener("click", look);
  return button;
}

function segmentRow(segment, look) {
  const how = [
    segment.speed < 0 ? "backwards" : "", Math.abs(segment.speed) === 1 ? "" : `${Math.abs(segment.speed)} times as fast`,
    segment.mirrored && !segment.view.includes("mirrored") ? "mirrored" : "", segment.view === "whole" ? "" : segment.view,
    segment.verified === true ? "verified" : segment.verified === false ? "not verified" : "",
  ].filter(Boolean).join(", ");
  const row = document.createElement("tr");
  row.append(
    cell(span(segment.q_start, segment.q_end), "number"), cell(segment.title, "name"),
    cell(span(segment.r_start, segment.r_end), "number"), cell(`${(100 * segment.score).toFixed(0)} %`, "number"),
    cell(how || "as it is"), buttonCell("Compare", `Compare ${span(segment.q_start, segment.q_end)} with ${segment.title}`, look),
  );
  return row;
}

function openPlayer(job, segment) {
  at("player").hidden = false;
  at("player-title").textContent = `${span(segment.q_start, segment.q_end)} of the clip is ${span(segment.r_start, segment.r_end)} of ${segment.title}`;
  player.open(job, segment);
  at("player-title").focus();
}

function cell(text, kind = "") {
  const made = document.createElement("td");
  made.textContent = text;
  made.className = kind;
  return made;
}

function buttonCell(text, label, onClick) {
  const made = document.createElement("td"), button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  button.setAttribute("aria-label", label);
  button.addEventListener("click", onClick);
  made.append(button);
  return made;
}

// --- The library.

async function listReferences(more = false) {
  offset = more ? offset + PAGE_SIZE : 0;
  const search = at("search").value;
  const wanted = new URLSearchParams({ search, offset, limit: PAGE_SIZE });
  const found = await call("GET", `/references?${wanted}`);
  if (search !== at("search").value) return; // somebody went on typing
  const rows = found.references.map(referenceRow);
  if (more) at("references").tBodies[0].append(...rows);
  else at("references").tBodies[0].replaceChildren(...rows);
  at("count").textContent = `${found.total} ${found.total === 1 ? "reference" : "references"}${search ? " found" : ""}`;
  at("more").hidden = offset + rows.length >= found.total;
}

function referenceRow(reference) {
  const row = document.createElement("tr");
  row.append(
    cell(reference.title, "name"), cell(reference.kind === "image" ? "picture" : clock(reference.duration_s), "number"),
    cell(`${reference.width_px} × ${reference.height_px}`, "number"), cell(reference.added_at.slice(0, 10), "number"),
  );
  if (role === "admin") row.append(buttonCell("Remove", `Remove ${reference.title}`, () => remove(reference)));
  return row;
}

async function remove(reference) {
  if (!confirm(`Remove ${reference.title} from the library?`)) return;
  await change(async () => {
    await call("DELETE", `/references/${reference.id}`);
    return `${reference.title} has been removed`;
  });
  at("search").focus();
}

async function addFiles(files) {
  for (const file of files) {
    await change(async () => added(await upload("/references", file, (share) => tellLibrary(`Sending ${file.name}: ${Math.round(100 * share)} %`))));
  }
  at("addition").value = "";
}

async function added(job) {
  const done = await until(job, (now) => tellLibrary(`${now.name} is being added`));
  return done.result.unchanged.length ? `${done.name} is in the library already` : `${done.name} has been added`;
}

async function change(what) {
  at("library-error").textContent = "";
  try {
    const done = await what();
    await listReferences();
    tellLibrary(done);
  } catch (error) {
    tellLibrary("");
    at("library-error").textContent = error.message;
  }
}

const tellLibrary = (text) => { at("library-status").textContent = text; };

// --- Views and keys.

function askForKey() {
  sessionStorage.removeItem("key");
  role = null;
  for (const id of ["query-view", "library-view"]) at(id).hidden = true;
  at("key-form").hidden = false;
  at("key").focus();
}

async function show() {
  const inLibrary = location.hash === "#library";
  at("query-view").hidden = inLibrary;
  at("library-view").hidden = !inLibrary;
  at("to-library").ariaCurrent = inLibrary ? "page" : null;
  at("to-query").ariaCurrent = inLibrary ? null : "page";
  const job = /^#job=([0-9a-f]{32})$/.exec(location.hash)?.[1];
  try {
    if (inLibrary) {
      player.pause();
      await listReferences();
    } else if (job && job !== shownJob) {
      clearAnswer();
      shownJob = job;
      await follow(await call("GET", `/jobs/${job}`));
    }
  } catch (error) {
    if (inLibrary) at("library-error").textContent = error.message;
    else fail(error);
  }
}

async function begin() {
  const access = await call("GET", "/access");
  if (!access.role) return askForKey();
  role = access.role;
  at("key-form").hidden = true;
  for (const element of document.querySelectorAll(".admin")) element.hidden = role !== "admin";
  await show();
}

at("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await call("POST", "/access", { key: at("key").value });
    sessionStorage.setItem("key", at("key").value);
    at("key").value = at("key-error").textContent = "";
    await begin();
  } catch (error) {
    at("key-error").textContent = error.message;
  }
});
at("clip").addEventListener("change", (event) => event.target.files.length && ask(event.target.files[0]));
at("addition").addEventListener("change", (event) => addFiles([...event.target.files]));
at("add-form").addEventListener("submit", (event) => event.preventDefault());
at("path-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  await change(async () => added(await call("POST", "/references/by-path", { path: at("path").value })));
});
at("search-form").addEventListener("submit", (event) => event.preventDefault());
at("search").addEventListener("input", () => listReferences().catch((error) => { at("library-error").textContent = error.message; }));
at("more").addEventListener("click", () => listReferences(true));
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", name === "dragover");
    const [file] = name === "drop" && !at("query-view").hidden ? event.dataTransfer.files : [];
    if (file) ask(file);
  });
}
addEventListener("hashchange", show);
begin().catch(fail);
