"""Past order books for traded days: trade log to tasks, tasks to files, with a record of each.

Nothing here knows a vendor's protocol (that is `providers`) or a configuration of providers (that
is `tradingd.app.backfill`), and nothing here prints.
"""
