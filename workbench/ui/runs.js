// The table of runs: a button opens a run, the boxes say which to compare; times in the visitor's own zone.
let lastFocus = null;
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-open]");
  if (button) trigger("open_run", { id: button.dataset.open });
});
element.addEventListener("change", (event) => {
  if (!event.target.matches("input[data-choose]")) return;
  const boxes = [...element.querySelectorAll("input[data-choose]:checked")];
  trigger("choose_runs", { ids: boxes.map((box) => box.dataset.choose) });
});
element.addEventListener("focusin", (event) => { lastFocus = event.target.dataset.key || null; });
// Leaving is told only where something else was focused: a row that is written anew just loses it.
element.addEventListener("focusout", (event) => { if (event.relatedTarget) lastFocus = null; });

const inOwnTime = () => {
  for (const time of element.querySelectorAll("time[datetime]")) {
    const moment = new Date(time.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    const two = (number) => String(number).padStart(2, "0");
    const day = `${moment.getFullYear()}-${two(moment.getMonth() + 1)}-${two(moment.getDate())}`;
    const text = `${day} ${two(moment.getHours())}:${two(moment.getMinutes())}`;
    if (time.textContent !== text) time.textContent = text;
  }
};
const refocus = () => {
  if (!lastFocus || document.activeElement !== document.body) return;
  element.querySelector(`[data-key="${lastFocus}"]`)?.focus();
};
// What is written anew may replace elements or only their texts.
new MutationObserver(() => { inOwnTime(); refocus(); })
  .observe(element, { childList: true, characterData: true, subtree: true });
inOwnTime();
