/** The style of the status page. Colours have a contrast of at least 4.5 to their ground, light and dark. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --text: #1f2328; --quiet: #57606a; --ground: #fff; --card: #f6f8fa; --line: #d0d7de; --link: #0550ae;
  --good: #116329; --bad: #a40e26; --bad-ground: #ffebe9; --good-ground: #e6f6ea; --bar: #eaeef2;
  font: 1rem/1.5 system-ui, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6edf3; --quiet: #9aa5b1; --ground: #0d1117; --card: #161b22; --line: #30363d; --link: #79b8ff;
    --good: #56d364; --bad: #ff9a92; --bad-ground: #3c1618; --good-ground: #12261a; --bar: #30363d;
  }
}
* { box-sizing: border-box; }
body { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; color: var(--text); background: var(--ground); overflow-wrap: break-word; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1.1rem; margin: 0; }
p { margin: .25rem 0; }
header p, section > p { color: var(--quiet); }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 2px; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin-top: .5rem; }
nav a, summary { padding: .25rem 0; }
.verdict { margin-top: 1.25rem; padding: .6rem .9rem; border-left: 4px solid; border-radius: 3px; font-weight: 600; }
.verdict bdi { display: inline-block; }
.verdict bdi::first-letter { text-transform: uppercase; }
.verdict.good { background: var(--good-ground); } .verdict.bad { background: var(--bad-ground); }
.good { color: var(--good); } .bad { color: var(--bad); }
.cards { display: grid; gap: 1rem; }
article { padding: .9rem 1rem; background: var(--card); border: 1px solid var(--line); border-radius: 6px; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: .75rem 1rem; margin: .75rem 0; }
dl div { display: flex; flex-direction: column-reverse; justify-content: flex-end; }
dt { color: var(--quiet); font-size: .85rem; line-height: 1.3; }
dd { margin: 0; font-size: 1.3rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.note, article h3, th.who { overflow-wrap: anywhere; } .note { font-size: .9rem; } .note:not(.bad) { color: var(--quiet); }
ul { margin: .5rem 0; padding-left: 1.1rem; }
table { width: 100%; border-collapse: collapse; margin: .5rem 0; }
th, td { padding: .35rem .5rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th:first-child { padding-left: 0; } td:last-child, th:last-child { padding-right: 0; }
thead th { font-size: .85rem; font-weight: 600; color: var(--quiet); vertical-align: bottom; }
tbody th { font-weight: 400; overflow-wrap: break-word; }
.n { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.near th, .near td { color: var(--bad); font-weight: 600; }
code { font: .95em ui-monospace, monospace; }
meter { display: block; width: 100%; min-width: 4rem; max-width: 12rem; height: .4rem; margin: .15rem 0 .1rem auto; }
meter::-webkit-meter-inner-element { height: .4rem; }
meter::-webkit-meter-bar { height: .4rem; background: var(--bar); border: 0; border-radius: 3px; }
meter::-webkit-meter-optimum-value { background: var(--good); border-radius: 3px; }
meter::-webkit-meter-suboptimum-value, meter::-webkit-meter-even-less-good-value { background: var(--bad); border-radius: 3px; }
meter::-moz-meter-bar { border-radius: 3px; }
summary { cursor: pointer; color: var(--link); width: fit-content; }
details { margin-top: .75rem; }
`;
