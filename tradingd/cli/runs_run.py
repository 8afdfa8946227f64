"""Run the `tradingd runs` commands; imported when one of them runs."""

from tradingd.app.runs import RunList, RunReport, root_of, runs_compare, runs_list, runs_show
from tradingd.cli.runs import CompareParams, ListParams, ShowParams
from tradingd.results.compare import Comparison


def list_(params: ListParams) -> RunList:
    """List the runs of a results folder."""
    return runs_list(root_of(params.root, params.overrides))


def show(params: ShowParams) -> RunReport:
    """Show one run."""
    return runs_show(root_of(params.root, params.overrides), params.run)


def compare(params: CompareParams) -> Comparison:
    """Compare runs."""
    return runs_compare(root_of(params.root, params.overrides), params.runs)
