"""Write the dashboards.

    python3 ops/grafana/build.py

A panel is one line here; its layout, ids and datasource follow. The JSON beside this file is what
Grafana is provisioned with, and a test compares the two. Standard library only.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "dashboards"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
ENV = 'env=~"$env"'
BY_STRATEGY = 'env=~"$env",strategy=~"$strategy"'
GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"

Json = dict[str, Any]


def target(expression: str, legend: str = "{{env}}") -> Json:
    """Return one query."""
    return {"expr": expression, "legendFormat": legend, "datasource": SOURCE}


def panel(
    kind: str, title: str, description: str, unit: str, *queries: tuple[str, str] | str,
    width: int = 8, height: int = 7, steps: tuple[tuple[float | None, str], ...] = (),
    mappings: dict[str, tuple[str, str]] | None = None, stack: bool = False, **options: Any,
) -> Json:  # fmt: skip
    """Return a panel; `steps` colour values from a threshold on, `mappings` name them."""
    defaults: Json = {"unit": unit, "custom": {}}
    if kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 8, "lineWidth": 1, "showPoints": "never", "spanNulls": False,
            "stacking": {"mode": "normal" if stack else "none"},
            "thresholdsStyle": {"mode": "line" if steps else "off"},
        }  # fmt: skip
    defaults["thresholds"] = {
        "mode": "absolute",
        "steps": [{"value": value, "color": colour} for value, colour in steps]
        or [{"value": None, "color": BLUE}],
    }
    if mappings:
        defaults["mappings"] = [
            {"type": "value",
             "options": {value: {"text": text, "color": colour, "index": index}}}
            for index, (value, (text, colour)) in enumerate(mappings.items())
        ]  # fmt: skip
    looks: Json = {
        "timeseries": {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "stat": {
            "colorMode": "background" if mappings or len(steps) > 1 else "value",
            "graphMode": "none", "textMode": "auto",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        },
        "state-timeline": {"showValue": "auto", "mergeValues": True, "rowHeight": 0.8},
    }.get(kind, {})  # fmt: skip
    return {
        "type": kind, "title": title, "description": description, "datasource": SOURCE,
        "targets": [target(*((q,) if isinstance(q, str) else q)) for q in queries],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": looks | options, "_size": (width, height),
    }  # fmt: skip


def row(title: str) -> Json:
    """Return a heading."""
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "_size": (24, 1)}


def quantiles(metric: str, by: str = "", match: str = ENV) -> list[tuple[str, str]]:
    """Return the queries of median and 99th percentile of a histogram."""
    labels = f"le, env{', ' + by if by else ''}"
    legend = " {{" + by + "}}" if by else ""
    return [
        (f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket{{{match}}}"
         "[$__rate_interval])))", f"{name} {{{{env}}}}{legend}")
        for q, name in ((0.5, "p50"), (0.99, "p99"))
    ]  # fmt: skip


def laid_out(panels: list[Json]) -> list[Json]:
    """Place panels from left to right, number them from 1."""
    placed, x, y, tallest = [], 0, 0, 0
    for number, one in enumerate(panels, 1):
        width, height = one.pop("_size")
        if x + width > 24:
            x, y, tallest = 0, y + tallest, 0
        placed.append({"id": number, **one, "gridPos": {"x": x, "y": y, "w": width, "h": height}})
        x, tallest = x + width, max(tallest, height)
    return placed


def dashboard(uid: str, title: str, description: str, panels: list[Json], *,
              strategies: bool = False) -> Json:  # fmt: skip
    """Return a dashboard with its variables, links and annotations."""
    variables: list[Json] = [
        {"name": "datasource", "label": "Data source", "type": "datasource",
         "query": "prometheus", "current": {}, "hide": 0},
        choice("env", "Instance", "label_values(tradingd_build_info, env)"),
    ]  # fmt: skip
    if strategies:
        variables.append(
            choice("strategy", "Strategy",
                   'label_values(tradingd_orders_total{env=~"$env"}, strategy)')
        )  # fmt: skip
    restarts = {
        "name": "Restarts", "datasource": SOURCE, "enable": True, "iconColor": RED,
        "expr": f"changes(tradingd_start_timestamp_seconds{{{ENV}}}[$__interval]) > 0",
        "titleFormat": "{{env}} started", "step": "60s",
    }  # fmt: skip
    return {
        "id": None, "uid": uid, "title": title, "description": description,
        "tags": ["tradingd"], "schemaVersion": 38, "version": 1, "editable": False,
        "graphTooltip": 1, "refresh": "15s", "timezone": "America/New_York",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": variables}, "annotations": {"list": [restarts]},
        "links": [{"type": "dashboards", "tags": ["tradingd"], "title": "tradingd",
                   "asDropdown": False, "includeVars": True, "keepTime": True}],
        "panels": laid_out(panels),
    }  # fmt: skip


def choice(name: str, label: str, query: str) -> Json:
    """Return a variable that lists the values of a label."""
    return {
        "name": name, "label": label, "type": "query", "datasource": SOURCE,
        "query": {"query": query, "refId": name}, "definition": query, "refresh": 2, "sort": 1,
        "multi": True, "includeAll": True, "current": {"text": "All", "value": "$__all"},
    }  # fmt: skip


YES_NO = {"1": ("yes", GREEN), "0": ("no", RED)}
OPEN = {"1": ("open", GREEN), "0": ("closed", BLUE)}
GRADES = {"0": ("OK", GREEN), "1": ("DEGRADED", YELLOW), "2": ("FAILED", RED)}


def trading() -> Json:
    """Return the page an operator keeps open."""
    return dashboard(
        "tradingd-trading", "tradingd / Trading",
        "Is it allowed to trade, what does it hold, what did the day bring.",
        [
            row("Now"),
            panel("stat", "State", "Trading state of the account; anything but RUNNING was set by "
                  "a person or a trigger, `tradingctl status` says why.", "none",
                  (f"tradingd_state{{{ENV}}} == 1", "{{env}} {{state}}"), width=6, height=4,
                  textMode="name"),
            panel("stat", "Ready", "Connected, reconciled and warmed up.", "none",
                  f"tradingd_ready{{{ENV}}}", width=3, height=4, mappings=YES_NO),
            panel("stat", "Armed", "Whether orders may leave; live needs `tradingctl arm`.", "none",
                  f"tradingd_armed{{{ENV}}}", width=3, height=4,
                  mappings={"1": ("armed", GREEN), "0": ("not armed", BLUE)}),
            panel("stat", "Market", "Session of the exchange, in session time.", "none",
                  f"tradingd_market_open{{{ENV}}}", width=3, height=4, mappings=OPEN),
            panel("stat", "Day P&L", "Change of equity since session start.", "currencyUSD",
                  f"tradingd_day_pnl_dollars{{{ENV}}}", width=3, height=4,
                  steps=((None, RED), (0, GREEN))),
            panel("stat", "Positions", "Positions that are not flat.", "short",
                  f"tradingd_positions{{{ENV}}}", width=3, height=4),
            panel("stat", "Unknown orders", "Orders whose outcome is not proven; should be 0.",
                  "short", f"tradingd_unknown_orders{{{ENV}}}", width=3, height=4,
                  steps=((None, GREEN), (1, RED))),
            row("Money"),
            panel("timeseries", "Equity and cash", "As the book has them.", "currencyUSD",
                  (f"tradingd_equity_dollars{{{ENV}}}", "equity {{env}}"),
                  (f"tradingd_cash_dollars{{{ENV}}}", "cash {{env}}"), width=12),
            panel("timeseries", "Day P&L", "All of it, and the realised part.", "currencyUSD",
                  (f"tradingd_day_pnl_dollars{{{ENV}}}", "day {{env}}"),
                  (f"tradingd_realised_today_dollars{{{ENV}}}", "realised {{env}}"), width=12),
            panel("timeseries", "Drawdown and its limit", "Fall from the day's high, as a share; "
                  "entries end at the limit.", "percentunit",
                  (f"tradingd_drawdown_ratio{{{ENV}}}", "drawdown {{env}}"),
                  (f"tradingd_drawdown_limit_ratio{{{ENV}}}", "limit {{env}}")),
            panel("timeseries", "Gross exposure", "Sum of the absolute position values over "
                  "equity.", "percentunit",
                  f"tradingd_gross_exposure_dollars{{{ENV}}} / tradingd_equity_dollars{{{ENV}}}"),
            panel("timeseries", "Positions and open orders", "How many, in the book.", "short",
                  (f"tradingd_positions{{{ENV}}}", "positions {{env}}"),
                  (f"tradingd_open_orders{{{ENV}}}", "open orders {{env}}")),
            row("What it did"),
            panel("timeseries", "Fills", "Executions a minute, by strategy.", "opm",
                  (f"sum by (env, strategy) (rate(tradingd_fills_total{{{BY_STRATEGY}}}"
                   "[$__rate_interval])) * 60", "{{env}} {{strategy}}"), width=12, stack=True),
            panel("timeseries", "Denials by limit", "Orders that the gate denied, a minute.", "opm",
                  (f"sum by (env, limit) (rate(tradingd_denials_total{{{ENV}}}"
                   "[$__rate_interval])) * 60", "{{env}} {{limit}}"), width=12, stack=True),
            panel("state-timeline", "States", "Trading state over time.", "none",
                  (f"tradingd_state{{{ENV}}}", "{{env}} {{state}}"), width=24, height=6,
                  mappings={"1": ("in force", BLUE), "0": (" ", "transparent")}),
        ],
        strategies=True,
    )  # fmt: skip


def execution() -> Json:
    """Return the page that judges how orders are carried out."""
    day = "[24h]"
    return dashboard(
        "tradingd-execution", "tradingd / Execution",
        "From decision to fill: how fast, how often refused, at what cost against expectation.",
        [
            row("Orders"),
            panel("timeseries", "Steps of orders", "Steps a minute over all strategies chosen.",
                  "opm", (f"sum by (env, state) (rate(tradingd_orders_total{{{BY_STRATEGY}}}"
                          "[$__rate_interval])) * 60", "{{env}} {{state}}"), width=12),
            panel("stat", "Fill rate, 24 h", "Orders filled completely, of those sent.",
                  "percentunit",
                  (f"sum by (env) (increase(tradingd_orders_filled_total{{{BY_STRATEGY}}}{day})) / "
                   f'(sum by (env) (increase(tradingd_orders_total{{{BY_STRATEGY},state="sent"}}'
                   f"{day})) > 0)", "{{env}}"), width=6),
            panel("stat", "Rejected, 24 h", "Orders the broker rejected, of those sent.",
                  "percentunit",
                  (f'sum by (env) (increase(tradingd_orders_total{{{BY_STRATEGY},state="rejected"}}'
                   f"{day})) / (sum by (env) (increase("
                   f'tradingd_orders_total{{{BY_STRATEGY},state="sent"}}{day})) > 0)', "{{env}}"),
                  width=6, steps=((None, GREEN), (0.02, YELLOW), (0.2, RED))),
            row("Latency"),
            panel("timeseries", "Decision to sent", "Gate, journal and socket; the budget is "
                  "500 ms from signal to order.", "s",
                  *quantiles("tradingd_order_latency_seconds", "",
                             f'{ENV},stage="decision_to_sent"'), steps=((None, GREEN), (0.5, RED))),
            panel("timeseries", "Sent to accepted", "The broker's answer; the budget of a "
                  "placement is 200 ms.", "s",
                  *quantiles("tradingd_order_latency_seconds", "",
                             f'{ENV},stage="sent_to_accepted"'), steps=((None, GREEN), (0.2, RED))),
            panel("timeseries", "Accepted to first fill", "The market's part.", "s",
                  *quantiles("tradingd_order_latency_seconds", "",
                             f'{ENV},stage="accepted_to_fill"')),
            row("Cost"),
            panel("timeseries", "Slippage: realised and expected", "Dollars an hour lost against "
                  "the expected price, what the model predicted, and what was gained.",
                  "currencyUSD",
                  (f"sum by (env) (increase(tradingd_slippage_paid_dollars_total{{{BY_STRATEGY}}}"
                   "[1h]))", "paid {{env}}"),
                  (f"sum by (env) (increase(tradingd_slippage_expected_dollars_total"
                   f"{{{BY_STRATEGY}}}[1h]))", "expected {{env}}"),
                  (f"sum by (env) (increase(tradingd_price_improvement_dollars_total"
                   f"{{{BY_STRATEGY}}}[1h]))", "improvement {{env}}"), width=12),
            panel("timeseries", "Slippage of a fill", "Median and 99th percentile, in basis points "
                  "(1/100 of a percent); positive cost money.", "none",
                  *quantiles("tradingd_slippage_basis_points", "", BY_STRATEGY), width=12),
            panel("timeseries", "Commission", "Dollars an hour, by strategy.", "currencyUSD",
                  (f"sum by (env, strategy) (increase(tradingd_commission_dollars_total"
                   f"{{{BY_STRATEGY}}}[1h]))", "{{env}} {{strategy}}"), stack=True),
            panel("timeseries", "Turnover", "Value of executions an hour, by strategy.",
                  "currencyUSD",
                  (f"sum by (env, strategy) (increase(tradingd_turnover_dollars_total"
                   f"{{{BY_STRATEGY}}}[1h]))", "{{env}} {{strategy}}"), stack=True),
        ],
        strategies=True,
    )  # fmt: skip


def system() -> Json:
    """Return the page for the question: is the daemon well."""
    return dashboard(
        "tradingd-system", "tradingd / System",
        "Progress, health checks, data, broker, journal, jobs, alerts, machine.",
        [
            row("Health"),
            panel("stat", "Scraped", "Whether Prometheus reaches the daemon.", "none",
                  (f'up{{job="tradingd",{ENV}}}', "{{env}}"), width=4, height=4, mappings=YES_NO),
            panel("stat", "Last beat", "Seconds since the last proof of progress; the watchdog "
                  "kills at 30.", "s", f"time() - tradingd_heartbeat_timestamp_seconds{{{ENV}}}",
                  width=4, height=4, steps=((None, GREEN), (15, YELLOW), (30, RED))),
            panel("stat", "Up for", "Time since the start.", "s",
                  f"time() - tradingd_start_timestamp_seconds{{{ENV}}}", width=4, height=4),
            panel("stat", "Version", "What is running.", "none",
                  (f"tradingd_build_info{{{ENV}}}", "{{env}} {{version}} {{mode}}"), width=4,
                  height=4, textMode="name"),
            panel("stat", "Broker", "Whether the broker answers pings.", "none",
                  f"tradingd_broker_connected{{{ENV}}}", width=4, height=4, mappings=YES_NO),
            panel("stat", "Mismatches", "Positions and orders that differ from the broker's at the "
                  "last comparison.", "short", f"tradingd_reconciliation_mismatches{{{ENV}}}",
                  width=4, height=4, steps=((None, GREEN), (1, RED))),
            panel("state-timeline", "Health checks", "Grade of every check; `tradingctl health` "
                  "says value, limit and what to do.", "none",
                  (f"tradingd_health_check{{{ENV}}}", "{{env}} {{check}}"), width=24, height=9,
                  mappings=GRADES),
            row("Market data"),
            panel("timeseries", "Feed silence and its limit", "Seconds since the last bar arrived; "
                  "it grows at night.", "s",
                  (f"time() - (tradingd_last_bar_timestamp_seconds{{{ENV}}} > 0)",
                   "silence {{env}}"),
                  (f"tradingd_feed_stale_limit_seconds{{{ENV}}}", "limit {{env}}")),
            panel("timeseries", "Feed lag", "From the close of a bar to its arrival; none in a "
                  "replay.", "s", *quantiles("tradingd_feed_lag_seconds")),
            panel("timeseries", "Bars", "Bars a second.", "short",
                  f"rate(tradingd_bars_total{{{ENV}}}[$__rate_interval])"),
            row("Loop, journal, broker"),
            panel("timeseries", "Event loop lag", "How late a timer runs; 250 ms warns.", "s",
                  *quantiles("tradingd_loop_lag_seconds"), steps=((None, GREEN), (0.25, RED))),
            panel("timeseries", "Work on a batch", "Strategies, gate and book on one batch of "
                  "bars; the goal is 50 ms.", "s", *quantiles("tradingd_batch_seconds"),
                  steps=((None, GREEN), (0.05, YELLOW))),
            panel("timeseries", "Journal", "How long the oldest write has been waiting for its "
                  "commit; 5 s stops the beat.", "s",
                  (f"tradingd_journal_pending_seconds{{{ENV}}}", "waiting {{env}}")),
            panel("timeseries", "Broker ping", "Round trip to the broker.", "s",
                  *quantiles("tradingd_broker_ping_seconds"), width=12),
            panel("timeseries", "Broker errors and reconnects", "In five minutes.", "short",
                  (f"increase(tradingd_broker_errors_total{{{ENV}}}[5m])", "errors {{env}}"),
                  (f"increase(tradingd_broker_reconnects_total{{{ENV}}}[5m])",
                   "reconnects {{env}}"), width=12),
            panel("timeseries", "Live feed", "What was not as it should be, in five minutes: late "
                  "bars, gaps, lost connections, garbage.", "short",
                  (f"sum by (env, kind) (increase(tradingd_feed_events_total{{{ENV}}}[5m]))",
                   "{{env}} {{kind}}"), width=12),
            row("Order books"),
            panel("timeseries", "Books", "Recorded now, and symbols in line for a slot.", "short",
                  (f"tradingd_recorder_books{{{ENV}}}", "recorded {{env}}"),
                  (f"tradingd_recorder_waiting{{{ENV}}}", "in line {{env}}"), width=6),
            panel("timeseries", "Book events and snapshots", "Each a second.", "short",
                  (f"rate(tradingd_recorder_events_total{{{ENV}}}[1m])", "events {{env}}"),
                  (f"rate(tradingd_recorder_rows_total{{{ENV}}}[1m])", "snapshots {{env}}"),
                  width=6),
            panel("timeseries", "Lost", "Records and snapshots that could not be kept, in five "
                  "minutes.", "short",
                  (f"increase(tradingd_recorder_lost_total{{{ENV}}}[5m])", "{{env}}"), width=6),
            panel("timeseries", "Not yet on disk", "Snapshots in memory, and seconds since the "
                  "last flush.", "short",
                  (f"tradingd_recorder_buffered_rows{{{ENV}}}", "rows {{env}}"),
                  (f"tradingd_recorder_flush_age_seconds{{{ENV}}}", "seconds {{env}}"), width=6),
            row("Jobs, alerts, logs"),
            panel("timeseries", "Time since a job's success", "Hours matter for daily jobs; a job "
                  "that never ran is not shown.", "s",
                  (f"time() - (tradingd_job_last_success_timestamp_seconds{{{ENV}}} > 0)",
                   "{{env}} {{job_name}}")),
            panel("timeseries", "Alerts", "What became of the daemon's own alerts, an hour.",
                  "short", (f"sum by (env, outcome) (increase(tradingd_alerts_total{{{ENV}}}[1h]))",
                            "{{env}} {{outcome}}")),
            panel("timeseries", "Warnings and errors logged", "Records a minute.", "short",
                  (f'sum by (env, level) (rate(tradingd_log_records_total{{{ENV},'
                   'level=~"WARNING|ERROR|CRITICAL"}[$__rate_interval])) * 60',
                   "{{env}} {{level}}"), stack=True),
            row("Machine"),
            panel("timeseries", "Processor", "Cores the daemon uses.", "short",
                  f'rate(process_cpu_seconds_total{{job="tradingd",{ENV}}}[$__rate_interval])',
                  width=6),
            panel("timeseries", "Memory", "Resident memory of the daemon.", "bytes",
                  f'process_resident_memory_bytes{{job="tradingd",{ENV}}}', width=6),
            panel("timeseries", "Disk", "Free space where the journal is.", "bytes",
                  f"tradingd_disk_free_bytes{{{ENV}}}", width=6),
            panel("timeseries", "Network and disk traffic", "The machine's network, the daemon's "
                  "disk.", "Bps",
                  (f"rate(tradingd_network_received_bytes_total{{{ENV}}}[$__rate_interval])",
                   "received {{env}}"),
                  (f"rate(tradingd_network_sent_bytes_total{{{ENV}}}[$__rate_interval])",
                   "sent {{env}}"),
                  (f"rate(tradingd_disk_written_bytes_total{{{ENV}}}[$__rate_interval])",
                   "written {{env}}"), width=6),
        ],
    )  # fmt: skip


def model() -> Json:
    """Return the page for the question: what does the model say, and does it still know."""
    return dashboard(
        "tradingd-model", "tradingd / Model",
        "Which model answers, how often it abstains and why, drift, expiry, latency, the shadow.",
        [
            row("Now"),
            panel("stat", "Models", "Champion and challenger; `tradingctl model` says more.",
                  "none", (f"tradingd_model_info{{{ENV}}}", "{{env}} {{role}} {{model}}"),
                  width=9, height=4, textMode="name"),
            panel("stat", "Expires in", "It abstains from then on.", "s",
                  (f"tradingd_model_expires_timestamp_seconds{{{ENV}}} - time()",
                   "{{env}} {{role}}"), width=5, height=4,
                  steps=((None, RED), (0, YELLOW), (259_200, GREEN))),
            panel("stat", "Drift of what is allowed", "Mean population stability index of the "
                  "features by their gain, against its limit; beyond it the model abstains.",
                  "percentunit", f"tradingd_model_drift_index{{{ENV}}} / "
                  f"(tradingd_model_drift_limit{{{ENV}}} > 0)", width=5, height=4,
                  steps=((None, GREEN), (0.8, YELLOW), (1, RED))),
            panel("stat", "Abstains", "Share of the questions of 15 minutes it had no answer to; "
                  "bars that did not come and warm-up left out.", "percentunit",
                  f"tradingd:abstentions:ratio15m{{{ENV}}}", width=5, height=4,
                  steps=((None, GREEN), (0.1, YELLOW), (0.5, RED))),
            row("Answers"),
            panel("timeseries", "Predictions", "A minute, of champion and challenger.", "short",
                  (f"sum by (env, role) (rate(tradingd_predictions_total{{{ENV}}}"
                   "[$__rate_interval])) * 60", "{{env}} {{role}}")),
            panel("timeseries", "Abstentions by reason", "Questions a minute without an answer.",
                  "short",
                  (f"sum by (env, reason) (rate(tradingd_abstentions_total{{{ENV}}}"
                   "[$__rate_interval])) * 60 > 0", "{{env}} {{reason}}"), stack=True),
            panel("timeseries", "Drift", "As measured once a day, and its limit.", "short",
                  (f"tradingd_model_drift_index{{{ENV}}}", "drift {{env}}"),
                  (f"tradingd_model_drift_limit{{{ENV}}}", "limit {{env}}")),
            row("Speed and records"),
            panel("timeseries", "Latency of a prediction", "From the question to the answer; the "
                  "goal is 70 us at the 99th percentile.", "s",
                  *quantiles("tradingd_prediction_seconds", "role"),
                  steps=((None, GREEN), (70e-6, YELLOW), (0.001, RED)), width=12),
            panel("timeseries", "Records of predictions", "Written in five minutes, and those "
                  "that could not be kept.", "short",
                  (f"increase(tradingd_predictions_recorded_total{{{ENV}}}[5m])",
                   "written {{env}}"),
                  (f"increase(tradingd_predictions_unrecorded_total{{{ENV}}}[5m])",
                   "not kept {{env}}"), width=12),
        ],
    )  # fmt: skip


def files() -> dict[str, str]:
    """Return the content of each dashboard file by its name."""
    pages = (trading(), execution(), model(), system())
    return {f"{page['uid']}.json": json.dumps(page, indent=1) + "\n" for page in pages}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, content in files().items():
        (FOLDER / name).write_text(content)
