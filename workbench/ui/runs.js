// The table of runs: a button opens a run, the boxes say which to compare; times in the visitor's own zone.
let lastFocus = null;
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-open]");
  if (button) trigger("open_run", { id: button.dataset.open });
});
// What the visitor has ticked and the server has not shown yet: an answer to an earlier tick must not undo it.
let wanted = null;
const boxes = () => [...element.querySelectorAll("input[data-choose]")];
const ids = (list) => list.map((box) => box.dataset.choose);
element.addEventListener("change", (event) => {
  if (!event.target.matches("input[data-choose]")) return;
  wanted = new Set(ids(boxes().filter((box) => box.checked)));
  trigger("choose_runs", { ids: [...wanted] });
  insist(5);
});
// An event that was fired while another was on its way may be dropped: say it again until it is shown.
let waiting = 0;
const insist = (times) => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    if (!wanted) return;
    if (!times) wanted = null;
    if (wanted) trigger("choose_runs", { ids: [...wanted] });
    if (wanted) insist(times - 1);
    else keepTicks();
  }, 1000);
};
const keepTicks = () => {
  const shown = boxes();
  for (const id of wanted || []) if (!ids(shown).includes(id)) wanted.delete(id);
  const agrees = shown.every((box) => box.hasAttribute("checked") === !!wanted?.has(box.dataset.choose));
  if (agrees || !wanted) {
    wanted = null;
    for (const box of shown) box.checked = box.hasAttribute("checked");
    return;
  }
  for (const box of shown) box.checked = wanted.has(box.dataset.choose);
};
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
new MutationObserver(() => { inOwnTime(); keepTicks(); refocus(); })
  .observe(element, { childList: true, characterData: true, attributeFilter: ["checked"], subtree: true });
inOwnTime();
