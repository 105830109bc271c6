// Comfort only: every page works without this file.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
document.documentElement.classList.add("js");

// The verdict, or what is wrong, is where reading begins.
document.querySelector("[data-focus]")?.focus();

// Copy buttons.
for (const button of all("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  const before = [...button.childNodes];
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
    setTimeout(() => button.replaceChildren(...before), 1600);
  });
}

// Print what is unfolded; what is folded stays away.
for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// The form: a number from a printed code, files by dragging, names, sizes and digests, and a sign of work.
const form = document.querySelector("[data-verify]");
const box = document.getElementById("box");
const printed = decodeURIComponent(location.hash.slice(1)).match(/^[0-9A-Za-z]{5}-?[0-9A-Za-z]{5}-?[0-9A-Za-z]{4}$/);
if (form && printed && !box.value.includes(printed[0])) {
  box.value = `${printed[0]}\n${box.value}`.trimEnd() + "\n";
  box.focus();
}

async function digest(file) {
  if (!crypto.subtle) return "";
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function show(input, list) {
  const most = Number(input.dataset.most);
  const files = [...input.files];
  list.replaceChildren(
    ...files.map((file) => {
      const item = document.createElement("li");
      item.textContent = `${file.name} · ${Math.ceil(file.size / 1000).toLocaleString(document.documentElement.lang)} kB`;
      if (file.size > most) {
        item.className = "too-large";
        item.append(` · ${input.dataset.tooLarge}`);
      }
      return item;
    }),
  );
  for (const [place, file] of files.entries()) {
    if (file.size > most) continue;
    const found = await digest(file);
    if (!found || input.files[place] !== file) continue;
    const code = document.createElement("code");
    code.textContent = `SHA-256 ${found}`;
    list.children[place].append(code);
  }
}

for (const place of all("[data-drop]")) {
  const input = place.querySelector("input[type=file]");
  const list = place.querySelector("[data-chosen]");
  for (const hint of all(".drop-here", place)) hint.hidden = false;
  input.addEventListener("change", () => show(input, list));
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      place.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) place.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    place.classList.remove("over");
    const kept = new DataTransfer();
    for (const file of [...input.files, ...event.dataTransfer.files]) kept.items.add(file);
    input.files = kept.files;
    show(input, list);
  });
}

form?.addEventListener("submit", () => {
  const busy = form.querySelector("[data-busy]");
  busy.textContent = busy.dataset.text;
});
addEventListener("pageshow", () => {
  for (const busy of all("[data-busy]")) busy.textContent = "";
});

// Compare pasted VINs with the sealed ones without sending anything.
const compare = document.querySelector("[data-compare]");
if (compare) {
  const list = compare.querySelector("[data-compared]");
  const sealed = all("[data-sealed] .vin").map((code) => code.textContent);
  const fold = (text) => text.normalize("NFKC").toUpperCase().replace(/[\s\u2010-\u2014\u2212-]/g, "");
  const line = (vin, word, mark) => {
    const item = document.createElement("li");
    const words = document.createElement("span");
    words.className = `mark mark-${mark}`;
    words.textContent = `${mark === "yes" ? "✓" : mark === "no" ? "✗" : "–"} ${word}`;
    const code = document.createElement("code");
    code.className = "vin";
    code.dir = "ltr";
    code.textContent = vin;
    item.append(code, " ", words);
    return item;
  };
  compare.querySelector("textarea").addEventListener("input", (event) => {
    const cells = event.target.value.split(/[\n\t,;|，；、]+/).map(fold);
    const typed = [...new Set(cells.filter((cell) => /^[0-9A-Z]{17}$/.test(cell)))];
    const items = typed.map((vin) =>
      sealed.includes(vin) ? line(vin, list.dataset.matched, "yes") : line(vin, list.dataset.missing, "no"),
    );
    const left = typed.length ? sealed.filter((vin) => !typed.includes(vin)) : [];
    list.replaceChildren(...items, ...left.map((vin) => line(vin, list.dataset.extra, "open")));
  });
}
