#!/usr/bin/env python3
"""Writes docs/benchmarks.md and docs/benchmarks.svg from results.json, health.json and story.md.

    benchmarks/page.py            writes them
    benchmarks/page.py --check    exits 1 where they are not as they would be written
"""

import json
import math
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DOCS = HERE.parent / "docs"

PEERS = {
    "jrsonnet": "jrsonnet, the files as strings of one object",
    "jinja2": "Jinja2 in one process, templates compiled beforehand",
}


def write():
    for path, text in pages().items():
        path.write_text(text)


def pages():
    results = json.loads((HERE / "results.json").read_text())
    health = json.loads((HERE / "health.json").read_text())
    story = (HERE / "story.md").read_text()
    memory = f"{results['sizes'][-1]['memory'] / 1024:.0f} MB"
    filled = {
        "machine": machine(results),
        "table": table(results),
        "memory": memory,
        "checks-machine": checks_machine(health),
        "checks": checks(health),
    }
    text = story
    for name, value in filled.items():
        text = text.replace("{{" + name + "}}", value)
    return {DOCS / "benchmarks.md": text, DOCS / "benchmarks.svg": picture(results["sizes"])}


def machine(results):
    v = results["versions"]
    return place(
        results["machine"],
        f"Stageplot {v['stageplot']}, jrsonnet {v['jrsonnet']}, Jinja2 {v['jinja2']} on Python {v['python']}",
        results["render"]["runs"],
    )


def checks_machine(health):
    v = health["versions"]
    peers = f"prometheus-blackbox-exporter {v['blackbox']}, fping {v['fping']}"
    return place(health["machine"], f"Stageplot {v['stageplot']}, {peers}", health["runs"])


def place(m, versions, runs):
    """What figures hold for."""
    busy = (
        f" **Others kept the machine busy meanwhile, with a load of {m['load']}: walls and times to start are too "
        "long, and their verdicts wait for an idle one.**"
        if m["load"] > m["cores"] / 2
        else ""
    )
    return (
        f"{m['cores']} cores of {m['processor']}, {m['memory_gib']} GiB, Linux {m['kernel']}, "
        f"{m['file_system']}; {versions}. Medians of {runs} runs that took turns.{busy}"
    )


def table(results):
    r, s = results["render"], results["start"]
    ours, fastest = r["stageplot"], min(PEERS, key=lambda name: r[name]["wall"])
    lines = ["| what | wall | processor | memory | files | MB |", "|---|--:|--:|--:|--:|--:|"]
    rows = [
        (f"Stageplot renders {r['nodes']:,} nodes", ours),
        *((PEERS[name], r[name]) for name in PEERS),
        ("`cp -r` of what Stageplot rendered", r["copy"]),
        ("Stageplot again, nothing changed", {**r["again"], "files": 0, "bytes": 0}),
    ]
    for what, f in rows:
        lines.append(
            f"| {what} | {ms(f['wall'])} | {ms(f['processor'])} | {f['memory'] / 1024:.0f} MiB "
            f"| {f['files']:,} | {f['bytes'] / 1e6:.1f} |"
        )
    goals = [
        (f"render, to the fastest peer ({fastest})", ours["wall"] / r[fastest]["wall"], 0.5, ""),
        ("render, to copying the same tree", ours["wall"] / r["copy"]["wall"], 1.5, ""),
        ("`check` of a small plot, whole process", s["check"]["wall"] * 1000, 5, " ms"),
        ("`--help`, whole process", s["help"]["wall"] * 1000, 2, " ms"),
    ]
    if "diff" in results:
        d = results["diff"]
        what = f"`diff` of 2 × {d['files']:,} equal files, to `git diff --no-index`"
        goals.append((what, d["stageplot"]["wall"] / d["git"]["wall"], 1, ""))
    lines += reached(goals)
    lines += ["", "| nodes | files | MB | wall | processor per MB | memory |", "|--:|--:|--:|--:|--:|--:|"]
    for f in results["sizes"]:
        megabytes = f["bytes"] / 1e6
        lines.append(
            f"| {f['nodes']:,} | {f['files']:,} | {megabytes:.1f} | {ms(f['wall'])} "
            f"| {ms(f['processor'] / megabytes)} | {f['memory'] / 1024:.0f} MiB |"
        )
    return "\n".join(lines)


def reached(goals):
    """A table of what was to be reached: no more than its bound each, or no less than one that is negative."""
    lines = ["", "| goal | ratio or time | bound | |", "|---|--:|--:|---|"]
    for what, value, bound, unit in goals:
        verdict = "met" if value <= bound or 0 < -bound <= value else "not met"
        lines.append(f"| {what} | {value:.2f}{unit} | {abs(bound):g}{unit} | {verdict} |")
    return lines


KINDS = {"tcp": "TCP", "http": "HTTP", "redis": "Redis", "stun": "STUN", "icmp": "ICMP echo"}
ASKERS = {"stageplot": "Stageplot", "blackbox": "blackbox", "fping": "fping"}


def checks(health):
    count, rates, sweep = health["checks"], health["rates"], health["sweep"]
    lines = ["| checks | by | a second | processor for each | memory |", "|---|---|--:|--:|--:|"]
    for kind, askers in rates.items():
        for name, f in askers.items():
            lines.append(
                f"| {KINDS[kind]} | {ASKERS[name]} | {count / f['wall']:,.0f} "
                f"| {f['processor'] / count * 1e6:,.0f} µs | {f['memory'] / 1024:.0f} MiB |"
            )
    dead = f"{count:,} endpoints, {health['dead']} of them dead"
    lines += ["", f"| {dead} | wall | processor | memory |", "|---|--:|--:|--:|"]
    for name, f in sweep.items():
        lines.append(f"| {ASKERS[name]} | {ms(f['wall'])} | {ms(f['processor'])} | {f['memory'] / 1024:.0f} MiB |")
    lines += ["", "| `stageplot verify` from | checks | wall | slowest check |", "|---|--:|--:|--:|"]
    for f in health["verify"]:
        lines.append(f"| {f['from']} | {f['checks']} | {ms(f['wall'])} | {ms(f['slowest'])} |")
    rate = lambda kind: rates[kind]["blackbox"]["wall"] / rates[kind]["stageplot"]["wall"]
    goals = [(f"{KINDS[kind]}, to blackbox, at least", rate(kind), -5, "") for kind in ("tcp", "http", "redis")]
    ours, late = sweep["stageplot"], max(f["wall"] - f["slowest"] for f in health["verify"])
    goals += [
        ("sweep, to the deadline of its slowest check", ours["wall"] / health["deadline"], 1.2, ""),
        ("sweep, memory", ours["memory"] * 1024 / 1e6, 100, " MB"),
        ("`verify`, beside its slowest check", late * 1000, 500, " ms"),
    ]
    return "\n".join(lines + reached(goals))


def ms(seconds):
    return f"{seconds * 1000:,.1f} ms" if seconds < 0.1 else f"{seconds * 1000:,.0f} ms"


def picture(sizes):
    """Time and memory over the bytes written, both axes logarithmic; a slope of one is linear."""
    width, height, left, top, plot_w, plot_h = 640, 360, 60, 30, 520, 270
    x_of = [f["bytes"] / 1e6 for f in sizes]
    curves = [
        ("wall, ms", [f["wall"] * 1000 for f in sizes], "time"),
        ("peak memory, MiB", [f["memory"] / 1024 for f in sizes], "memory"),
    ]
    low_x, high_x = bounds(x_of)
    low_y, high_y = bounds([y for _, ys, _ in curves for y in ys])
    x = lambda value: left + plot_w * (math.log10(value) - low_x) / (high_x - low_x)
    y = lambda value: top + plot_h * (high_y - math.log10(value)) / (high_y - low_y)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="12">',
        "<title>Time and memory over the bytes written</title>",
        "<style>svg { color: #1a1a1a; background: #fff } .time { stroke: #0b6e99; fill: #0b6e99 } "
        ".memory { stroke: #b04a00; fill: #b04a00 } @media (prefers-color-scheme: dark) { "
        "svg { color: #eee; background: #16181c } .time { stroke: #6cc5ee; fill: #6cc5ee } "
        ".memory { stroke: #ffa45c; fill: #ffa45c } } path { fill: none !important; stroke-width: 2 } "
        ".grid { stroke: currentColor; opacity: .15 } text { fill: currentColor; stroke: none }</style>",
    ]
    for power in range(low_x, high_x + 1):
        at = x(10**power)
        out.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{top + plot_h}"/>')
        out.append(f'<text x="{at:.1f}" y="{top + plot_h + 18}" text-anchor="middle">{10.0**power:g}</text>')
    for power in range(low_y, high_y + 1):
        at = y(10**power)
        out.append(f'<line class="grid" x1="{left}" x2="{left + plot_w}" y1="{at:.1f}" y2="{at:.1f}"/>')
        out.append(f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end">{10.0**power:g}</text>')
    out.append(f'<text x="{left + plot_w / 2:.1f}" y="{height - 8}" text-anchor="middle">MB written ({sizes[0]["nodes"]:,} to {sizes[-1]["nodes"]:,} nodes)</text>')
    for name, ys, kind in curves:
        points = [(x(a), y(b)) for a, b in zip(x_of, ys)]
        line = " L".join(f"{a:.1f} {b:.1f}" for a, b in points)
        out.append(f'<path class="{kind}" d="M{line}"/>')
        out += [f'<circle class="{kind}" cx="{a:.1f}" cy="{b:.1f}" r="3.5"/>' for a, b in points]
        out.append(f'<text x="{points[1][0] + 10:.1f}" y="{points[1][1] + (18 if kind == "time" else -10):.1f}">{name}</text>')
    return "\n".join([*out, "</svg>", ""])


def bounds(values):
    return math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        stale = [path.name for path, text in pages().items() if not path.exists() or path.read_text() != text]
        if stale:
            sys.exit(f"run benchmarks/page.py: {', '.join(stale)}")
    else:
        write()
