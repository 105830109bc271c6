// Comfort for the editor of a draft: saves by itself, says so, and never lets go of what was typed. The form works without.
const form = document.querySelector("form[data-autosave]");
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const WAIT_MS = 1500;
const RETRY_MS = [2000, 5000, 10000, 30000];

if (form) {
  const status = form.querySelector("[data-status]");
  let timer = 0, isSending = false, isHeld = false, isLeaving = false, failures = 0;
  let saved = typed();

  // What the form would send, by field; the row that is there only to be typed into sends nothing.
  function typed() {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (name !== "paste") fields.append(name, value);
    return fields;
  }

  const plain = (fields) => {
    const copy = new URLSearchParams(fields);
    for (const name of ["csrf_token", "version", "title_shown"]) copy.delete(name);
    return copy.toString();
  };
  const isDirty = () => plain(typed()) !== plain(saved);

  function say(text, isBad = false) {
    status.hidden = !text;
    status.classList.toggle("saving-bad", isBad);
    if (status.textContent !== text) status.textContent = text;
  }

  function later(ms = WAIT_MS) {
    clearTimeout(timer);
    timer = setTimeout(save, ms);
  }

  async function save() {
    if (isSending || isHeld || !isDirty()) return;
    isSending = true;
    const sent = typed();
    say(form.dataset.saving);
    try {
      const body = new URLSearchParams(sent);
      body.set("automatic", "yes");
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" }, redirect: "error" });
      const told = await answer.json();
      if (answer.ok) take(told, sent);
      else await refused(answer.status, told);
    } catch {
      retry(form.dataset.offline);
    } finally {
      isSending = false;
    }
    if (!failures && !isHeld && isDirty()) later();
  }

  function retry(text) {
    say(text, true);
    later(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
  }

  // Signed out, or signed in anew elsewhere: wait for a session, and take its form's secret.
  async function refused(code, told) {
    if (code === 401 || (code === 400 && told.type?.endsWith("/form-expired"))) {
      retry(form.dataset.signedOut);
      const page = await fetch(form.action, { redirect: "follow" });
      const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
      const token = page.url === form.action && fresh.querySelector("#draft-form [name=csrf_token]")?.value;
      if (token) for (const field of all("[name=csrf_token]")) field.value = token;
    } else if (code >= 500 || code === 429) retry(form.dataset.offline);
    else {
      isHeld = true;
      say(`${form.dataset.refused} ${told.detail ?? told.title ?? ""}`, true);
    }
  }

  function take(told, sent) {
    failures = 0;
    if (told.held) {
      isHeld = true;
      say(told.held, true);
      return;
    }
    saved = sent;
    form.elements.version.value = told.version;
    form.elements.title_shown.value = told.title;
    for (const [name, value] of Object.entries(told.changed)) put(name, value, sent);
    judge(told);
    say([told.saved, told.together].filter(Boolean).join(" · "));
  }

  // Somebody else's change comes into a field that was not typed into since.
  function put(name, value, sent) {
    if (name === "outlets") {
      const chosen = value.split(", ");
      for (const box of all("[name=outlets]", form)) box.checked = chosen.includes(box.value);
      return;
    }
    const field = form.elements[name];
    if (!field) return;
    const isBox = field.type === "checkbox";
    const now = isBox ? (field.checked ? "yes" : "") : field.value;
    if (now.replaceAll("\n", "\r\n") !== (sent.get(name) ?? "").replaceAll(/\r?\n/g, "\r\n")) return;
    if (isBox) field.checked = value === "yes";
    else field.value = value;
    if (isBox && value !== "yes") saved.delete(name);
    else saved.set(name, value);
  }

  // What the rules say, beside the fields.
  function judge(told) {
    for (const place of all("[data-told]", form)) place.replaceChildren();
    for (const each of told.told) {
      const line = document.createElement("p");
      line.className = `told told-${each.kind}`;
      const word = document.createElement("strong");
      word.textContent = form.getAttribute(`data-kind-${each.kind}`);
      line.append(word, " ", each.text);
      document.getElementById(`${each.place}-told`)?.append(line);
    }
    form.querySelector("[data-counts]").textContent = told.counts;
    form.querySelector("[data-exporter]").textContent = told.exporter;
    for (const place of all("[data-window]", form)) place.textContent = told.windows[place.dataset.window] ?? "";
    for (const place of all("[data-vin]", form)) place.replaceChildren(...vin(told.vins[place.dataset.vin]));
  }

  function vin(text) {
    if (!text) return [];
    const code = document.createElement("code");
    code.className = "vin";
    for (const group of [text.slice(0, 3), text.slice(3, 9), text.slice(9)]) {
      const span = document.createElement("span");
      span.textContent = group;
      code.append(span);
    }
    return [code];
  }

  // A new empty row appears under the last one that is typed into.
  function grow(field) {
    const row = field.closest("[data-row]");
    const rows = all("[data-row]", form);
    if (!row || row !== rows.at(-1) || rows.length >= 200) return;
    const from = Number(row.dataset.row), to = from + 1;
    const copy = row.cloneNode(true);
    const rename = (text) => text.replaceAll(`vehicles-${from}-`, `vehicles-${to}-`);
    copy.dataset.row = to;
    for (const each of all("*", copy)) {
      for (const { name, value } of [...each.attributes]) {
        if (value.includes(`vehicles-${from}-`)) each.setAttribute(name, rename(value));
        else if (/^data-(window|vin)$/.test(name)) each.setAttribute(name, to);
      }
      if (each.matches("input:not([type=checkbox])")) each.value = "";
      if (each.matches("[aria-label]")) each.setAttribute("aria-label", each.getAttribute("aria-label").replace(/\d+(?=\D*$)/, to + 1));
      if (each.matches("[type=checkbox]")) each.checked = false;
    }
    copy.querySelector("th").lastChild.textContent = ` ${to + 1}`;
    row.classList.remove("vehicle-blank");
    row.after(copy);
  }

  // A date as people write it becomes the date that is kept, where everybody can see it.
  function day(field) {
    const found = field.value.trim().match(/^(\d{4})(?:[-/.年]\s*(\d{1,2})[-/.月]\s*(\d{1,2})日?|(\d\d)(\d\d))$/);
    if (!found) return;
    const [, year, month, date, shortMonth, shortDate] = found;
    field.value = [year, (month ?? shortMonth).padStart(2, "0"), (date ?? shortDate).padStart(2, "0")].join("-");
  }

  form.addEventListener("input", (event) => {
    if (event.target.id === "paste") return;
    grow(event.target);
    if (!isHeld) {
      if (!failures) say(form.dataset.unsaved);
      later(failures ? RETRY_MS[Math.min(failures, RETRY_MS.length) - 1] : WAIT_MS);
    }
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-day]")) day(event.target);
    if (!isHeld && !failures) later(200);
  });
  form.addEventListener("submit", () => {
    isLeaving = true;
    clearTimeout(timer);
    setTimeout(() => (isLeaving = false), 4000);
  });
  addEventListener("online", () => later(0));
  addEventListener("beforeunload", (event) => {
    if (!isLeaving && isDirty()) event.preventDefault();
  });
}
