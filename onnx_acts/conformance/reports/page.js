"use strict";
// A link into a closed part of the page opens that part.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let part = target; part; part = part.parentElement)
    if (part.tagName === "DETAILS") part.open = true;
  target.scrollIntoView({ block: "start" });
}
addEventListener("hashchange", reveal);
reveal();
