// SPDX-License-Identifier: MIT
#pragma once

// How policies.html looks, and what sorts its table.

namespace policies {

inline constexpr auto page_head = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>consistency: combinations of policies</title>
<style>
:root { color-scheme: light dark; --ink: #1c2430; --soft: #667085; --paper: #fbfbfa; --card: #fff; --line: #e4e4e0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ee; --soft: #9aa3b2; --paper: #14161a; --card: #1c1f25;
  --line: #31363f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 78rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; } h2 { font-size: 1.2rem; margin: 2.4rem 0 .7rem; }
p { margin: 0 0 1rem; max-width: 52rem; } .soft { color: var(--soft); } .note { font-size: .9rem; }
footer { margin-top: 2.4rem; font-size: .9rem; color: var(--soft); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; margin: 1.4rem 0; }
.facts div, figure { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.facts div { padding: .6rem .8rem; } .facts span { color: var(--soft); font-size: .85rem; }
.facts b { display: block; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums; }
.scroll { overflow: auto; max-height: 34rem; max-width: 100%; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
.all { width: 100%; background: var(--card); }
.all th, .all td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
.all th { position: sticky; top: 0; background: var(--card); cursor: pointer; user-select: none; }
.all th[aria-sort=ascending]::after { content: " ▲"; } .all th[aria-sort=descending]::after { content: " ▼"; }
.all th:first-child, .all td:first-child { text-align: left; white-space: normal; min-width: 10rem;
  overflow-wrap: anywhere; }
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; min-width: 0; }
figure { margin: 0 0 1rem; padding: .8rem; min-width: 0; }
figcaption { font-size: .9rem; color: var(--soft); margin-bottom: .5rem; }
.heat th { font-weight: 500; padding: .25rem .5rem; text-align: left; white-space: nowrap; }
.heat td { padding: .35rem .4rem; text-align: center; min-width: 3.4rem; border: 2px solid var(--card);
  border-radius: .3rem; } .heat .none { color: var(--soft); }
svg { display: block; flex: 1 1 20rem; min-width: 0; max-width: 40rem; color: var(--soft); }
.chart { display: flex; flex-wrap: wrap; gap: 1rem 2rem; }
svg text { font: 10.5px system-ui, sans-serif; fill: var(--soft); } svg path { fill: none; stroke-linejoin: round; }
svg .grid { stroke: var(--line); } svg .other { opacity: .3; } svg .named { stroke-width: 2; }
.legend { list-style: none; flex: 0 1 auto; margin: .6rem 0 0; padding: 0; font-size: .9rem; }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: .2rem; margin-right: .4rem; }
</style>
)";

inline constexpr auto page_script = R"(<script>
for (const table of document.querySelectorAll("table.all"))
  table.tHead.rows[0].querySelectorAll("th").forEach((head, column) => head.addEventListener("click", () => {
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = row => row.cells[column].dataset.value === undefined ? row.cells[column].textContent
                                                                      : Number(row.cells[column].dataset.value);
    const rows = [...table.tBodies[0].rows].sort((a, b) => {
      const x = key(a), y = key(b);
      return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
    });
    table.tBodies[0].append(...rows);
  }));
</script>
)";

}  // namespace policies
