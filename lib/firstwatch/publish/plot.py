"""The error rate over time with the incident's events on it, as an image: no script can ride on one."""

from datetime import UTC, datetime
from pathlib import Path

from firstwatch.record.incident import Incident

TOP = 1.45  # times the highest value: the marks' names stand above the line
# What is worth a mark on the line, and what it is called there.
MARKS = {"declared": "declared", "approved": "approved", "outcome": "changed", "resolved": "resolved"}


def draw(incident: Incident, path: Path) -> None:
    """Draw the measured series of *incident*, in percent, as a PNG at *path*."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.dates import DateFormatter, date2num
    from matplotlib.figure import Figure

    assert incident.measured is not None
    began = datetime.fromtimestamp(incident.measured.points[0][0], UTC)
    times = [date2num(datetime.fromtimestamp(at, UTC)) for at, _ in incident.measured.points]
    shares = [value * 100 for _, value in incident.measured.points]
    figure = Figure(figsize=(7.5, 3), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(times, shares, color="#b3261e", linewidth=1.8, marker="o", markersize=3)
    axes.fill_between(times, shares, color="#b3261e", alpha=0.12, linewidth=0)
    axes.axhline(incident.measured.limit * 100, color="#777777", linewidth=0.8, linestyle=":")
    for entry in (each for each in incident.timeline if each.kind in MARKS and began <= each.time):
        axes.axvline(date2num(entry.time), color="#1f5fa8", linewidth=1)
        axes.annotate(
            MARKS[entry.kind], (date2num(entry.time), 1), xycoords=("data", "axes fraction"), xytext=(3, -4),
            textcoords="offset points", va="top", fontsize=8, color="#1f5fa8", rotation=90,
        )  # fmt: skip
    axes.set(
        ylabel="failing requests, %", xlabel="time, UTC", ylim=(0, TOP * max(*shares, incident.measured.limit * 100))
    )
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M:%S", tz=UTC))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)
