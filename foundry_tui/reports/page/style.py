"""How the HTML report looks: light, dark, on paper and on a phone, without anything from elsewhere."""

import base64
import hashlib

__all__ = ["CONTENT_POLICY", "STYLE"]

# The classes of gaps are those of the ribbon on the screen: they differ in brightness alone, too, and stand
# out from the ground at 3 : 1 or better.
STYLE = """
:root { color-scheme: light dark;
  --ground: #ffffff; --raised: #f4f6f8; --ink: #1c2126; --soft: #55606b; --rule: #d3d9df; --grid: #e4e8ec;
  --accent: #1a5fa8; --pale: #9dbfe2; --warn: #a33b00; --bad: #b3122a; --good: #0b6b50;
  --g0: #2f6fc0; --g1: #1f6a9c; --g2: #1c627a; --g3: #24595c; --g4: #354f3d; --g5: #454421; --g6: #43360a;
  --g7: #2e1f00; }
@media screen and (prefers-color-scheme: dark) { :root {
  --ground: #14181c; --raised: #1d2329; --ink: #e6eaee; --soft: #a3aeb9; --rule: #3a434c; --grid: #2a3138;
  --accent: #7fb4ee; --pale: #39608a; --warn: #f2a05c; --bad: #ff7a86; --good: #5fd0aa;
  --g0: #6f9ae0; --g1: #7fa3cf; --g2: #8fadc0; --g3: #a2b8ae; --g4: #b9c39a; --g5: #d2cf82; --g6: #eadb66;
  --g7: #ffe945; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1rem clamp(.75rem, 3vw, 2.5rem) 4rem; max-width: 84rem;
  background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 1rem 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-top: .6rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; margin: 1.4rem 0 .2rem; }
h4 { font-size: .9rem; margin: .8rem 0 .2rem; color: var(--soft); }
p, ul { margin: .5rem 0; max-width: 75ch; }
ul { padding-left: 1.2rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; padding: 0; list-style: none; max-width: none;
  font-size: .9rem; }
a { color: var(--accent); }
small, .soft, figcaption p { display: block; color: var(--soft); font-size: .82rem; line-height: 1.4; }
.verdict { margin: 1rem 0; padding: .8rem 1rem; background: var(--raised);
  border-left: 4px solid var(--accent); }
.verdict p { font-weight: 600; margin-top: 0; }
blockquote { margin: .5rem 0; padding-left: .8rem; border-left: 3px solid var(--rule); color: var(--soft);
  white-space: pre-wrap; }
.wide { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .875rem; min-width: 100%; overflow-wrap: normal; }
th, td { padding: .35rem .6rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule);
  max-width: 24rem; }
td, tbody th { overflow-wrap: break-word; unicode-bidi: isolate; }
tbody th { min-width: 7rem; }
.summary td { white-space: normal; padding: .35rem .45rem; }
thead th { border-bottom-width: 2px; color: var(--soft); font-weight: 600; vertical-align: bottom; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.n small { white-space: normal; min-width: 6rem; }
.requests { font-size: .8rem; }
tr.out td:last-child { color: var(--warn); }
tr.left { color: var(--soft); }
details { margin: .4rem 0; }
summary { cursor: pointer; padding: .2rem 0; }
pre { margin: .3rem 0; padding: .6rem .8rem; background: var(--raised); white-space: pre-wrap;
  font-size: .82rem; unicode-bidi: isolate; }
figure { margin: 1.2rem 0 1.8rem; }
.row { display: grid; grid-template-columns: minmax(0, 1fr); gap: .1rem 1rem; padding: .25rem 0; }
@media (min-width: 50rem) { .row { grid-template-columns: 15rem minmax(0, 1fr); align-items: center; } }
.row b { display: block; font-size: .9rem; font-weight: 600; line-height: 1.3; }
svg { display: block; overflow: hidden; max-width: 100%; }
svg svg { overflow: visible; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
svg text.none { fill: var(--soft); font-size: 13px; }
svg text.sign { fill: var(--bad); font-weight: 700; }
.grid { stroke: var(--grid); } .mark { stroke: var(--soft); }
line.cut { stroke: var(--soft); stroke-dasharray: 2 3; }
.point circle { fill: var(--accent); fill-opacity: .7; stroke: var(--ground); stroke-width: .5; }
.about circle { fill: var(--ground); fill-opacity: .5; stroke: var(--accent); stroke-width: 1.5; }
.out path { fill: var(--warn); stroke: var(--ground); }
.box { fill: none; stroke: var(--soft); }
.median { stroke: var(--ink); stroke-width: 2.5; }
.bubble circle { fill: var(--pale); fill-opacity: .6; stroke: var(--accent); stroke-width: 1.5; }
.unsized circle { fill: none; stroke-dasharray: 3 3; }
svg text.of { fill: var(--ink); font-weight: 700; } .whisker { stroke: var(--good); stroke-width: 2; }
.interval { fill: var(--good); }
path.line { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke;
  stroke-linejoin: round; }
.request .wait { fill: var(--pale); } .request .flow { fill: var(--accent); }
.aside .wait, .aside .flow { fill: var(--ground); stroke: var(--accent); stroke-width: .75; }
.failed .wait, .failed .flow { fill: var(--raised); stroke: var(--bad); stroke-width: .75; }
.failed .through { fill: var(--bad); }
.g0 { fill: var(--g0); } .g1 { fill: var(--g1); } .g2 { fill: var(--g2); } .g3 { fill: var(--g3); }
.g4 { fill: var(--g4); } .g5 { fill: var(--g5); } .g6 { fill: var(--g6); } .g7 { fill: var(--g7); }
.first { fill: var(--pale); } .stall { fill: var(--bad); } .same { fill: var(--soft); }
.thought { fill: var(--good); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1rem; padding: 0; list-style: none; font-size: .82rem;
  max-width: none; color: var(--soft); }
.legend li { display: flex; align-items: end; gap: .4rem; line-height: 1.1; }
footer { margin-top: 3rem; color: var(--soft); font-size: .82rem; }
@media screen and (max-width: 40rem) { .summary thead { display: none; }
  .summary, .summary tbody, .summary tr, .summary th, .summary td { display: block; max-width: none; }
  .summary tr { padding: .5rem 0; border-bottom: 1px solid var(--rule); }
  .summary th, .summary td { border: 0; padding: .15rem 0; text-align: left; }
  .summary td::before { content: attr(data-of) ": "; color: var(--soft); } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; }
  .row, tr, .verdict { break-inside: avoid; } h2, h3, figcaption { break-after: avoid; }
  .wide { overflow: visible; } table, .requests { font-size: 7.5pt; } td small { font-size: 6.5pt; }
  .n { white-space: normal; }
  svg, .verdict { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""

_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
CONTENT_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"
"""Nothing is fetched and nothing runs: this one style is all that the page may use."""
