"""The kinds of panels of the dashboard, each a function of its title and queries."""

from grafana_foundation_sdk.builders import common, dashboard, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueColorMode, BigValueGraphMode, LegendDisplayMode, LegendPlacement, VisibilityMode)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef, DynamicConfigValue, FieldColorModeId, Threshold, ThresholdsMode, ValueMap, ValueMappingResult)

SOURCE = DataSourceRef(type_val="prometheus", uid="${source}")
HEIGHT = 8
HUES = {"blue": "#3274d9", "green": "#37872d"}
STATES = {"0": ("watching", "green"), "1": ("too little to judge", "yellow"), "2": ("rolled back", "red")}
VERDICTS = {"0": ("undecided", "yellow"), "1": ("kept", "green"), "2": ("broken", "red")}


def query(legend: str, expr: str, ref: str, instant=False) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(expr).legend_format(legend).ref_id(ref).datasource(SOURCE)
    return made.instant() if instant else made.range()


def with_queries(panel, title: str, about: str, width: int, queries: dict, instant=False):
    """What all panels have in common. `queries` are expressions by legend."""
    panel.title(title).description(about).datasource(SOURCE).height(HEIGHT).span(width)
    for ref, (legend, expr) in zip("ABCDEFGH", queries.items()):
        panel.with_target(query(legend, expr, ref, instant))
    return panel


def lines(title: str, about: str, unit: str, queries: dict, width=8, fill=0) -> timeseries.Panel:
    """Lines over time; those of a color have its hue."""
    legend = common.VizLegendOptions().show_legend(True)
    legend.display_mode(LegendDisplayMode.LIST).placement(LegendPlacement.BOTTOM)
    panel = timeseries.Panel().unit(unit).min(0).fill_opacity(fill).show_points(VisibilityMode.NEVER).legend(legend)
    for color, hue in HUES.items():
        shades = {"mode": FieldColorModeId.SHADES, "fixedColor": hue}
        panel.override_by_regexp(f"/ {color}\\b/", [DynamicConfigValue(id_val="color", value=shades)])
    return with_queries(panel, title, about, width, queries)


def number(title: str, about: str, queries: dict, red_from=None, width=4) -> stat.Panel:
    """One number as of now, red from a value on."""
    steps = [Threshold(color="green", value=None)]
    if red_from is not None:
        steps.append(Threshold(color="red", value=red_from))
    thresholds = dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)
    mode = BigValueColorMode.NONE if red_from is None else BigValueColorMode.BACKGROUND
    panel = stat.Panel().thresholds(thresholds).color_mode(mode).graph_mode(BigValueGraphMode.NONE)
    return with_queries(panel, title, about, width, queries, instant=True)


def states(title: str, about: str, queries: dict, names: dict, width: int) -> statetimeline.Panel:
    """States over time; `names` are their names and colors by value."""
    options = {value: ValueMappingResult(text=text, color=color) for value, (text, color) in names.items()}
    panel = statetimeline.Panel().mappings([ValueMap(options=options)]).show_value(VisibilityMode.AUTO).merge_values(True)
    return with_queries(panel, title, about, width, queries)
