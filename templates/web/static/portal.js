// Comfort for the pages behind a sign-in: every form works without this file. One small part for each need.
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// A menu closes when the reader goes elsewhere.
for (const menu of all("details.who")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// A button that was pressed is not pressed twice.
for (const form of all("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 4000);
  });
}
