// Keeps a table that the visitor opened open when new points replace the curves.
const opened = new Set();
element.addEventListener("toggle", (event) => {
  const key = event.target.dataset?.key;
  // What is taken out of the page is not what the visitor closed.
  if (!key || !event.target.isConnected) return;
  if (event.target.open) opened.add(key);
  else opened.delete(key);
}, true);
new MutationObserver(() => {
  for (const details of element.querySelectorAll("details[data-key]")) {
    if (opened.has(details.dataset.key) && !details.open) details.open = true;
  }
}).observe(element, { childList: true, attributeFilter: ["open"], subtree: true });
