"""Plots of how time and memory grow, drawn from the speed tables whose first column is a size."""

from __future__ import annotations

from shared.boards import drawing
from shared.boards.drawing import WIDTH, Scale, log_ticks, ticks
from shared.boards.plots import FOOT, HEIGHT, LEFT, TOP
from shared.boards.speed import SpeedRecord, SpeedTable

PLOTTED = {  # the first column of a table -> the column that is drawn over it
    "texts": "seconds",
    "tokens": "milliseconds a document",
    "labels": "milliseconds a document",
    "specialists": "MiB resident",
}
STEEP = 5.0  # from the lowest value to the highest: beyond it their axis is logarithmic
_STYLE = (
    "svg{font-family:sans-serif;background:#fff}.tick,.axis-title{fill:#555;font-size:11px}"
    ".grid{stroke:#ddd;fill:none}.axis{stroke:#333;fill:none}.line{stroke:#1f5fa8;stroke-width:2;fill:none}"
    ".mark{fill:#1f5fa8;stroke:#fff}"
)


def plot_name(record: SpeedRecord, table: SpeedTable) -> str | None:
    """Return the name of the table's plot beside its record, None where it has none."""
    if table.columns[0] not in PLOTTED:
        return None
    return f"{record.name}-{table.columns[0]}.svg"


def speed_plot(table: SpeedTable) -> str:
    """Return the column that grows over the table's sizes, logarithmic where it grows much, as an image."""
    name, grows = table.columns[0], PLOTTED[table.columns[0]]
    column = table.columns.index(grows)
    points = [(_number(row[0]), _number(row[column])) for row in table.rows]
    (left, right), (low, high) = ((min(values), max(values)) for values in zip(*points, strict=True))
    steep = high > STEEP * low
    x = Scale(left / 1.2, right * 1.2, LEFT + 14, WIDTH - 24, log=True)
    y = Scale(low / 1.3 if steep else 0.0, high * 1.3, HEIGHT - FOOT, TOP, log=steep)
    places = [(x(size), y(value)) for size, value in points]
    parts = [
        f"<style>{_STYLE}</style>",
        drawing.axes(
            x,
            y,
            x_ticks=[(value, f"{value:,.0f}") for value in log_ticks(x.low, x.high)],
            y_ticks=[(value, f"{value:,g}") for value in (log_ticks if steep else ticks)(y.low, y.high)],
            x_title=f"{name}, logarithmic",
            y_title=f"{grows}, logarithmic" if steep else grows,
        ),
        drawing.polyline(places, "line"),
        *[drawing.mark("measured", *place) for place in places],
    ]
    description = "; ".join(f"{row[0]} {name}: {row[column]} {grows}" for row in table.rows)
    image = drawing.svg(parts, id=name, title=table.title, description=description, height=HEIGHT)
    return image.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1) + "\n"


def _number(cell: str) -> float:
    return float(cell.replace(",", ""))
