"""The bar chart: visits a second, and CPU a visit, of every peer."""

from xml.sax.saxutils import escape

from .results import Results

WIDTH = 800
LEFT = 190
BAR_WIDTH = 470
ROW = 34
BAR = 22
HEAD = 85
OURS, SERVER, REDIS, INK, FAINT = "#d9480f", "#5c7c9c", "#e0a83a", "#222222", "#666666"
OURS_REDIS = "#f2b27c"


def svg(results: Results) -> str:
    """A chart of 800 pixels' width on a light background."""
    peers = results.values("throughput", "peer")
    panel = 40 + ROW * len(peers)
    height = HEAD + 2 * panel + 58
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
        f'height="{height}" '
        'font-family="DejaVu Sans, Helvetica, Arial, sans-serif" font-size="14">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(20, 32, "What a counted visit costs", size=20, weight="bold"),
        _text(
            20,
            54,
            "one server thread each, 64 keep-alive connections, the same Redis on loopback",
            colour=FAINT,
        ),
        _text(20, 73, "(the original: a thread and a connection for each request)", colour=FAINT),
    ]
    parts += _rates(results, peers, HEAD)
    parts += _costs(results, peers, HEAD + panel)
    parts += _legend(HEAD + 2 * panel + 10, results)
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _rates(results: Results, peers: list[str], top: int) -> list[str]:
    rates = {peer: results.median("throughput", "rate", peer=peer) for peer in peers}
    highest = max(rates.values())
    parts = [_text(20, top + 26, "Visits a second (more is better)", weight="bold")]
    for row, (peer, rate) in enumerate(rates.items()):
        y = top + 40 + row * ROW
        length = rate / highest * BAR_WIDTH
        parts.append(_label(results, peer, y))
        parts.append(_bar(LEFT, y, length, OURS if peer == "counter" else SERVER))
        parts.append(_value(LEFT + length, y, f"{rate:,.0f}", peer))
    return parts


def _costs(results: Results, peers: list[str], top: int) -> list[str]:
    """Server and Redis, one after the other; a bar too long for the scale is cut, and says so."""
    costs = {
        peer: (
            results.median("throughput", "server_cpu_us", peer=peer),
            results.median("throughput", "redis_cpu_us", peer=peer),
        )
        for peer in peers
    }
    totals = sorted(sum(cost) for cost in costs.values())
    # One peer may cost a hundred times the others; the scale is that of the next dearest.
    scale = totals[-1] if totals[-1] < 3 * totals[-2] else totals[-2] * 1.25
    parts = [_text(20, top + 26, "Microseconds of CPU a visit (less is better)", weight="bold")]
    for row, (peer, (server, redis)) in enumerate(costs.items()):
        y = top + 40 + row * ROW
        parts.append(_label(results, peer, y))
        is_cut = server + redis > scale
        server_length = min(server, scale) / scale * BAR_WIDTH
        redis_length = min(redis, max(0, scale - server)) / scale * BAR_WIDTH
        ours = peer == "counter"
        parts.append(_bar(LEFT, y, server_length, OURS if ours else SERVER))
        parts.append(_bar(LEFT + server_length, y, redis_length, OURS_REDIS if ours else REDIS))
        if is_cut:
            parts.append(_cut(LEFT + BAR_WIDTH - 40, y))
        # What the table says: the median of the sums, which the sum of the medians need not be.
        cost = results.cpu(peer)
        text = f"{cost:,.1f}" if cost < 100 else f"{cost:,.0f}"
        parts.append(_value(LEFT + server_length + redis_length, y, text, peer))
    return parts


def _legend(top: int, results: Results) -> list[str]:
    environment = results.environment
    note = (
        f"{environment['processor']}, {environment['processors usable']} processors, "
        f"Linux {environment['kernel']}, {environment['date'].split()[0]}; medians of "
        f"{results.settings['many_rounds']} alternating runs"
    )
    entries = ((SERVER, "server"), (REDIS, "Redis"), (OURS, "counter"), (OURS_REDIS, "its Redis"))
    parts = []
    for index, (colour, name) in enumerate(entries):
        x = LEFT + index * 115
        parts.append(f'<rect x="{x}" y="{top}" width="14" height="14" fill="{colour}"/>')
        parts.append(_text(x + 20, top + 12, name, size=13))
    parts.append(_text(20, top + 38, note, size=12, colour=FAINT))
    return parts


def _label(results: Results, peer: str, y: int) -> str:
    name = results.select("throughput", peer=peer)[0]["name"]
    weight = "bold" if peer == "counter" else "normal"
    return _text(LEFT - 10, y + 16, name, size=13, weight=weight, anchor="end")


def _bar(x: float, y: int, length: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{BAR}" fill="{colour}"/>'


def _cut(x: float, y: int) -> str:
    """Two slanted white lines: the bar goes on."""
    lines = "".join(
        f'<path d="M{x + gap:.1f} {y + BAR + 2} l10 {-BAR - 4}" stroke="#ffffff" stroke-width="4"/>'
        for gap in (0, 9)
    )
    return f"<g>{lines}</g>"


def _value(x: float, y: int, text: str, peer: str) -> str:
    return _text(x + 8, y + 16, text, weight="bold" if peer == "counter" else "normal")


def _text(
    x: float,
    y: float,
    text: str,
    size: int = 14,
    weight: str = "normal",
    anchor: str = "start",
    colour: str = INK,
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
    )
