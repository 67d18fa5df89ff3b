"""Plots latency against the number of rows."""

from pathlib import Path

from benchmarks.scale import Growth, Point
from benchmarks.workloads import GROWING


def draw(growth: Growth, path: Path) -> None:
    import matplotlib as mpl

    mpl.use("svg")
    # Makes the file reproducible: the same numbers give the same bytes.
    mpl.rcParams["svg.hashsalt"] = "tasks"
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
    panels = (
        (left, "rows in the table", [(point.rows, point) for point in growth.of_table]),
        (right, "tasks of the user", [(point.tasks, point) for point in growth.of_user]),
    )
    for axes, label, points in panels:
        for kind in GROWING:
            axes.plot(
                [at for at, _ in points], [_median(point, kind) for _, point in points], marker="o", label=kind
            )
        axes.set(xscale="log", yscale="log", xlabel=label)
        axes.grid(visible=True, alpha=0.3)
    left.set_ylabel("median latency in ms")
    right.legend(loc="upper left")
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _median(point: Point, kind: str) -> float:
    return point.latency[kind].p50_ms
