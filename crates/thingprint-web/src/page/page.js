// Keeps the view up to date, and sends its forms without loading it anew. Without this file everything works by loading.
// All markup comes from the server, which escapes it; this file writes text alone.

const REFRESH_MS = 2000; // Views are loaded again at most this often, however many updates come.
const SETTLE_MS = 1200; // The server may show a list that is a second old.
const SLOW_MS = 30000; // Ages grow and sources fail without an update.
const TYPING_MS = 250; // A search begins when nobody typed for so long.
const RETRY_MS = 15000; // After the server refused the stream of updates.

const announcer = document.getElementById("announce");
const announce = (text) => {
  announcer.textContent = "";
  setTimeout(() => (announcer.textContent = text), 50);
};

// Times in the zone of the reader.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const localTime = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short" });
const localize = (root) => {
  for (const time of root.querySelectorAll("time:not(.ago)")) {
    time.textContent = localTime.format(new Date(time.dateTime));
  }
};
const nameZone = () => {
  const place = document.getElementById("zone");
  if (place && zone) place.textContent = zone;
};

// A view is loaded again from its own address, and its parts that are marked as live take the place of the old ones.
const keyOf = (element) => element?.closest?.("[data-key]")?.dataset.key;
const byKey = (root, key) => [...root.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key);

const replaceRegion = (old, fresh) => {
  const hadFocus = old.contains(document.activeElement);
  const focused = hadFocus && keyOf(document.activeElement);
  const opened = [...old.querySelectorAll("details[open][data-key]")].map((one) => one.dataset.key);
  const scrolled = [...old.querySelectorAll(".table, .figure")].map((box) => box.scrollLeft);
  const known = new Set([...old.querySelectorAll("tr[data-key]")].map((row) => row.dataset.key));
  old.replaceWith(fresh);
  for (const details of fresh.querySelectorAll("details[data-key]")) details.open = opened.includes(details.dataset.key);
  fresh.querySelectorAll(".table, .figure").forEach((box, index) => (box.scrollLeft = scrolled[index] ?? 0));
  if (known.size > 0) {
    for (const row of fresh.querySelectorAll("tr[data-key]")) {
      if (!known.has(row.dataset.key)) row.classList.add("fresh");
    }
  }
  if (hadFocus) (byKey(fresh, focused) ?? fresh.querySelector("[tabindex]"))?.focus({ preventScroll: true });
};

let loaded = 0;
let latest = 0;
let wanted = null;
const sources = new Map();

const show = (text) => {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const part of fresh.querySelectorAll("[data-live]")) {
    const old = document.getElementById(part.id);
    const source = part.innerHTML;
    if (!old || sources.get(part.id) === source) continue;
    sources.set(part.id, source);
    const imported = document.importNode(part, true);
    localize(imported);
    replaceRegion(old, imported);
  }
};

const load = async (address) => {
  const number = ++latest;
  const answer = await fetch(address, { headers: { Accept: "text/html" } });
  if (answer.status === 401) return location.reload();
  const text = await answer.text();
  if (number !== latest) return; // A later request says what is wanted now.
  if (!answer.ok) return announce("The view could not be loaded. Load the page again.");
  show(text);
  loaded = Date.now();
};

const refresh = () => {
  if (wanted !== null || document.hidden) return;
  const wait = Math.max(SETTLE_MS, loaded + REFRESH_MS - Date.now());
  wanted = setTimeout(async () => {
    wanted = null;
    await load(location.href).catch(() => {});
  }, wait);
};
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, SLOW_MS);

// Filters, orders and pages change the address, so that they can be kept and shared.
const go = async (address) => {
  history.replaceState(null, "", address);
  await load(address).catch(() => location.assign(address));
  const caption = document.querySelector("main caption, main .empty");
  if (caption) announce(caption.textContent);
};

const filter = document.getElementById("filter");
const filterAddress = () => {
  const query = new URLSearchParams(new FormData(filter));
  for (const [name, value] of [...query]) if (value === "") query.delete(name);
  return `${filter.getAttribute("action")}?${query}`;
};
let typing = null;
filter?.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => go(filterAddress()), TYPING_MS);
});
filter?.addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(typing);
  go(filterAddress());
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.sort, .pager a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const sort = new URL(link.href).searchParams.get("sort");
  const field = filter?.elements.namedItem("sort");
  if (field && sort) {
    const isKnown = [...field.options].some((option) => option.value === sort);
    if (!isKnown) field.append(new Option(`${link.textContent.toLowerCase()}, reversed`, sort));
    field.value = sort;
  }
  go(link.href);
});

// Requests: the forms of the page, sent without leaving it.
const send = async (form) => {
  if (form.ariaBusy === "true") return; // A button that is disabled would lose the focus.
  form.ariaBusy = "true";
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
    const result = await answer.json();
    if (!answer.ok) throw new Error(result.error);
    announce("Done.");
    form.classList.contains("label") && remark(form, "Saved.");
    await load(location.href);
  } catch (error) {
    remark(form, error.message || "The request did not arrive. Try again.");
  } finally {
    form.ariaBusy = "false";
  }
};

const remark = (form, text) => {
  let place = form.querySelector(".remark");
  if (!place) {
    place = document.createElement("p");
    place.className = "remark note";
    place.setAttribute("role", "alert");
    form.append(place);
  }
  place.textContent = text;
};

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("action") !== "/requests") return;
  event.preventDefault();
  const dialog = form.dataset.dialog && document.getElementById(form.dataset.dialog);
  if (!dialog) return void send(form);
  dialog.querySelector("[data-confirm]").onclick = () => {
    dialog.close();
    send(form);
  };
  dialog.querySelector("[data-cancel]").onclick = () => dialog.close();
  dialog.showModal();
});

// Live updates. A browser connects again by itself when a connection breaks, but not when it is refused.
const { device: ownDevice, kinds } = document.getElementById("main").dataset;
const wasTold = ({ type, data }) => {
  const { kind, text, device } = JSON.parse(data);
  if (kind === "new-device" && text) announce(text);
  if (kinds && !kinds.split(" ").includes(type)) return;
  if (ownDevice && device && device !== ownDevice) return;
  refresh();
};
const lost = document.createElement("p");
lost.className = "note";
lost.setAttribute("role", "alert");
lost.textContent = "There are no live updates at the moment. What is shown may be up to half a minute old, or older if the program has ended.";
const connect = () => {
  const updates = new EventSource("/api/v1/updates");
  for (const name of ["device", "window", "provisional", "standing", "change", "finding", "event"]) {
    updates.addEventListener(name, wasTold);
  }
  for (const name of ["training", "request", "resync"]) updates.addEventListener(name, refresh);
  updates.onopen = () => {
    refresh(); // Nobody told this page what came between its making and now.
    lost.remove();
  };
  updates.onerror = () => {
    if (!lost.isConnected) document.getElementById("main").prepend(lost);
    if (updates.readyState === EventSource.CLOSED) setTimeout(connect, RETRY_MS);
  };
};

for (const part of document.querySelectorAll("[data-live]")) sources.set(part.id, part.innerHTML);
localize(document);
nameZone();
connect();
