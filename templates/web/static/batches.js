// The progress of a batch without flicker: what changed is fetched and put in its place. Without this file, or where
// something else is to be seen by now, the page is simply read again.
const EVERY_MS = 3000;
const live = document.querySelector("[data-live]");

async function look() {
  if (document.hidden) return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" }, redirect: "manual" });
  if (answer.status >= 500) return;
  const page = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page && page.querySelector("[data-live]");
  if (!fresh || fresh.dataset.live !== live.dataset.live) return location.replace(location.pathname);
  for (const part of live.querySelectorAll("[id^=live-]")) {
    const other = page.getElementById(part.id);
    if (part.value === undefined) part.textContent = other.textContent;
    else part.value = other.value;
  }
}

if (live) {
  const again = () => setTimeout(() => look().catch(() => {}).finally(again), EVERY_MS);
  again();
}
