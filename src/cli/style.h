/* How the page of nzip explain looks, by light and in the dark. */
#ifndef NZ_CLI_STYLE_H
#define NZ_CLI_STYLE_H

/* a to j: what bytes cost; p0 to p8: parts of numbers. */
#define STYLE_LIGHT                                                                          \
    ":root{color-scheme:light dark;--back:#fff;--ink:#222;--soft:#6b7077;--line:#e3e5e8;"    \
    "--bar:#4a7fb5;--a:#d9dde2;--b:#fff4cc;--c:#ffe9a3;--d:#ffd97a;--e:#ffc45c;--f:#ffa94d;" \
    "--g:#fb8a45;--h:#ee6a45;--i:#c9384b;--j:#7b1457;--deep:#fff;--deepest:#fff}"
#define STYLE_DARK                                                                           \
    "@media(prefers-color-scheme:dark){:root{--back:#15171a;--ink:#dfe2e6;--soft:#9aa0a8;"   \
    "--line:#2e3238;--bar:#5f97cf;--a:#3a3f46;--b:#2d2a1a;--c:#403818;--d:#574716;"          \
    "--e:#705412;--f:#8c5a10;--g:#aa5514;--h:#c4472b;--i:#d8345c;--j:#e86fd0;--deep:#fff;--" \
    "deepest:#200018}}"
#define STYLE_TEXT                                                                             \
    "*{box-sizing:border-box}"                                                                 \
    "body{margin:0 auto;padding:1rem;max-width:70rem;background:var(--back);color:var(--ink);" \
    "font:15px/1.5 system-ui,sans-serif}"                                                      \
    "h1{font-size:1.4rem;margin:.3rem 0 .6rem;overflow-wrap:anywhere}"                         \
    "h2{font-size:1.1rem;margin:2rem 0 .4rem}"                                                 \
    "h3{font-size:.9rem;font-weight:600;margin:1.2rem 0 .3rem}"                                \
    "p,footer,summary{color:var(--soft);margin:.2rem 0 .5rem;max-width:50rem}"                 \
    "footer{margin-top:2.5rem;border-top:1px solid var(--line);padding-top:.5rem}"             \
    ".facts{display:flex;flex-wrap:wrap;gap:.5rem 1.6rem;color:var(--soft)}"                   \
    ".facts b{font-size:1.2rem;color:var(--ink);font-variant-numeric:tabular-nums}"            \
    ".wide{overflow-x:auto}"
#define STYLE_TABLES                                                                             \
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}"          \
    "th,td{padding:.15rem .7rem .15rem 0;text-align:right;white-space:nowrap;"                   \
    "border-bottom:1px solid var(--line);font-weight:400}"                                       \
    "th,td.words{text-align:left}td.words{color:var(--soft)}tr:first-child td,"                  \
    "tr:first-child th{color:var(--soft)}"                                                       \
    "td.bar{width:12rem;min-width:6rem}td.bar span{display:block;height:.8em;border-radius:2px;" \
    "min-width:1px}:where(td.bar span){background:var(--bar)}"                                   \
    ".names th{white-space:normal;overflow-wrap:anywhere;min-width:9rem}"                        \
    "@media(max-width:40rem){td.words{display:none}td.bar{width:4rem;min-width:3rem}"            \
    "th,td{padding-right:.45rem}.parts{width:7rem!important}}"                                   \
    ".legend td,.legend th{border:0;text-align:center;padding:.1rem .25rem}"                     \
    ".legend th{text-align:left}.legend td{color:var(--ink)!important}.legend "                  \
    "i{display:block;padding:0 .4rem}.legend i.a{"                                               \
    "background:var(--a)}"
#define STYLE_PAINT                                                                            \
    "pre{font:13px/1.55 ui-monospace,monospace;margin:.3rem 0;padding:.6rem;border:1px solid " \
    "var(--line);border-radius:4px}pre.text{white-space:pre-wrap;overflow-wrap:anywhere}"      \
    "pre.map{overflow-x:auto}pre b{font-weight:400;color:var(--soft)}"                         \
    "i{font-style:normal;border-radius:2px}.b{background:var(--b)}.c{background:var(--c)}"     \
    ".d{background:var(--d)}.e{background:var(--e)}.f{background:var(--f)}"                    \
    ".g{background:var(--g)}.h{background:var(--h)}"                                           \
    ".i{background:var(--i);color:var(--deep)}.j{background:var(--j);color:var(--deepest)}"
#define STYLE_CHART                                                                             \
    ".chart{display:block;shape-rendering:crispEdges;width:100%;height:7rem;border-bottom:1px " \
    "solid var(--line)}"                                                                        \
    ".chart .a{fill:var(--a)}.chart .b{fill:var(--b)}.chart .c{fill:var(--c)}"                  \
    ".chart .d{fill:var(--d)}.chart .e{fill:var(--e)}.chart .f{fill:var(--f)}"                  \
    ".chart .g{fill:var(--g)}.chart .h{fill:var(--h)}.chart .i{fill:var(--i)}"                  \
    ".chart .j{fill:var(--j)}.mean{stroke:var(--soft);stroke-width:1;"                          \
    "vector-effect:non-scaling-stroke;stroke-dasharray:4 3}"                                    \
    ".ends{display:flex;justify-content:space-between;max-width:none;font-size:.85rem}"
#define STYLE_PARTS                                                                               \
    ".parts{display:flex;width:14rem;height:.9em;border-radius:2px;overflow:hidden;"              \
    "background:var(--line)}.parts span{display:block}"                                           \
    ".key{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.4rem 0}"                           \
    ".key span{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em}" \
    ".p0{background:#8b8f98}.p1{background:#3f7fc4}.p2{background:#e39a3b}"                       \
    ".p3{background:#4fa38a}.p4{background:#9a6fc0}.p5{background:#c66fa3}"                       \
    ".p6{background:#d6604d}.p7{background:#5aa9c9}.p8{background:#b5a642}"

#define STYLE STYLE_LIGHT STYLE_DARK STYLE_TEXT STYLE_TABLES STYLE_PAINT STYLE_CHART STYLE_PARTS

#endif
