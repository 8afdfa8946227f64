-- Layout of an instance's journal (journal.sqlite), schema version 2.
-- Versions only add: what read version 1 by column names reads this one, too.
--
-- PRAGMA application_id = 1953653860; PRAGMA user_version = 2; journal_mode WAL.
-- Money is an integer of 1e-9 dollars, a time is UTC nanoseconds (ts: of the market, wall: here),
-- truth is 0 or 1. Read it with mode=ro while the daemon runs; write nothing into it.
-- fills.id counts 1, 2, 3 ... without a gap; book.fills is the id of the last fill in the book.
--
-- audit.hash is SHA-256 in hex over number, prev_hash, actor, action, subject, detail, wall, uid,
-- pid, each as a netstring (LENGTH:BYTES, with the length in bytes of UTF-8, integers as decimal
-- text). prev_hash of row 1 is 64 zeros. The file audit.head beside the journal repeats number and
-- hash of the last row; it may be behind, never ahead.

CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    "run_id" TEXT NOT NULL UNIQUE,
    "instance" TEXT NOT NULL,
    "mode" TEXT NOT NULL,
    "strategy" TEXT NOT NULL,
    "config_hash" TEXT NOT NULL,
    "git_commit" TEXT NOT NULL,
    "data" TEXT NOT NULL,
    "started" INTEGER NOT NULL,
    "ended" INTEGER,
    "outcome" TEXT NOT NULL
) STRICT;
CREATE TRIGGER runs_no_delete BEFORE DELETE ON runs
BEGIN SELECT RAISE(ABORT, 'runs is kept'); END;

CREATE TABLE signals (
    id INTEGER PRIMARY KEY,
    "run_id" TEXT NOT NULL,
    "strategy" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "ts" INTEGER NOT NULL,
    "wall" INTEGER NOT NULL
) STRICT;
CREATE TRIGGER signals_no_update BEFORE UPDATE ON signals
BEGIN SELECT RAISE(ABORT, 'signals is append-only'); END;
CREATE TRIGGER signals_no_delete BEFORE DELETE ON signals
BEGIN SELECT RAISE(ABORT, 'signals is append-only'); END;

CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    "run_id" TEXT NOT NULL,
    "order_id" TEXT NOT NULL,
    "strategy" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "side" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "reason" TEXT NOT NULL,
    "limit" TEXT NOT NULL,
    "observed" TEXT NOT NULL,
    "allowed" TEXT NOT NULL,
    "explanation" TEXT NOT NULL,
    "ts" INTEGER NOT NULL,
    "wall" INTEGER NOT NULL
) STRICT;
CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions is append-only'); END;
CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions
BEGIN SELECT RAISE(ABORT, 'decisions is append-only'); END;

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    "order_id" TEXT NOT NULL UNIQUE,
    "run_id" TEXT NOT NULL,
    "strategy" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "side" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "type" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "limit" INTEGER,
    "stop" INTEGER,
    "protective_stop" INTEGER,
    "take_profit" INTEGER,
    "time_in_force" TEXT NOT NULL,
    "expires" INTEGER,
    "parent_id" TEXT NOT NULL,
    "broker_order_id" TEXT NOT NULL,
    "filled" INTEGER NOT NULL,
    "paid" INTEGER NOT NULL,
    "commission" INTEGER NOT NULL,
    "cancel_asked" INTEGER NOT NULL,
    "note" TEXT NOT NULL,
    "ts" INTEGER NOT NULL,
    "wall" INTEGER NOT NULL,
    "closed_wall" INTEGER,
    "trail" INTEGER,
    "trail_bps" INTEGER,
    "extended_hours" INTEGER NOT NULL
) STRICT;
CREATE TRIGGER orders_no_delete BEFORE DELETE ON orders
BEGIN SELECT RAISE(ABORT, 'orders is kept'); END;

CREATE TABLE order_events (
    id INTEGER PRIMARY KEY,
    "order_id" TEXT NOT NULL,
    "step" TEXT NOT NULL,
    "detail" TEXT NOT NULL,
    "ts" INTEGER NOT NULL,
    "wall" INTEGER NOT NULL
) STRICT;
CREATE TRIGGER order_events_no_update BEFORE UPDATE ON order_events
BEGIN SELECT RAISE(ABORT, 'order_events is append-only'); END;
CREATE TRIGGER order_events_no_delete BEFORE DELETE ON order_events
BEGIN SELECT RAISE(ABORT, 'order_events is append-only'); END;

CREATE TABLE fills (
    id INTEGER PRIMARY KEY,
    "fill_id" TEXT NOT NULL UNIQUE,
    "order_id" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "strategy" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "side" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "price" INTEGER NOT NULL,
    "commission" INTEGER NOT NULL,
    "slippage" INTEGER NOT NULL,
    "purpose" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "position_after" INTEGER NOT NULL,
    "ts" INTEGER NOT NULL,
    "wall" INTEGER NOT NULL
) STRICT;
CREATE TRIGGER fills_no_update BEFORE UPDATE ON fills
BEGIN SELECT RAISE(ABORT, 'fills is append-only'); END;
CREATE TRIGGER fills_no_delete BEFORE DELETE ON fills
BEGIN SELECT RAISE(ABORT, 'fills is append-only'); END;

CREATE TABLE trips (
    id INTEGER PRIMARY KEY,
    "run_id" TEXT NOT NULL,
    "strategy" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "side" TEXT NOT NULL,
    "quantity" INTEGER NOT NULL,
    "entry_price" INTEGER NOT NULL,
    "exit_price" INTEGER NOT NULL,
    "realised" INTEGER NOT NULL,
    "commission" INTEGER NOT NULL,
    "slippage" INTEGER NOT NULL,
    "entry_reason" TEXT NOT NULL,
    "exit_reason" TEXT NOT NULL,
    "ts_opened" INTEGER NOT NULL,
    "ts_closed" INTEGER NOT NULL
) STRICT;
CREATE TRIGGER trips_no_update BEFORE UPDATE ON trips
BEGIN SELECT RAISE(ABORT, 'trips is append-only'); END;
CREATE TRIGGER trips_no_delete BEFORE DELETE ON trips
BEGIN SELECT RAISE(ABORT, 'trips is append-only'); END;

CREATE TABLE adjustments (
    id INTEGER PRIMARY KEY,
    "adjustment_id" TEXT NOT NULL UNIQUE,
    "kind" TEXT NOT NULL,
    "symbol" TEXT NOT NULL,
    "shares" INTEGER NOT NULL,
    "cash" INTEGER NOT NULL,
    "numerator" INTEGER NOT NULL,
    "denominator" INTEGER NOT NULL,
    "ts" INTEGER NOT NULL,
    "wall" INTEGER NOT NULL
) STRICT;
CREATE TRIGGER adjustments_no_update BEFORE UPDATE ON adjustments
BEGIN SELECT RAISE(ABORT, 'adjustments is append-only'); END;
CREATE TRIGGER adjustments_no_delete BEFORE DELETE ON adjustments
BEGIN SELECT RAISE(ABORT, 'adjustments is append-only'); END;

CREATE TABLE guards (
    id INTEGER PRIMARY KEY,
    "symbol" TEXT NOT NULL UNIQUE,
    "strategy" TEXT NOT NULL,
    "stop" INTEGER,
    "take_profit" INTEGER,
    "parent_id" TEXT NOT NULL,
    "stop_order_id" TEXT NOT NULL,
    "target_order_id" TEXT NOT NULL,
    "active" INTEGER NOT NULL,
    "ts" INTEGER NOT NULL
) STRICT;

CREATE TABLE states (
    id INTEGER PRIMARY KEY,
    "scope" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "author" TEXT NOT NULL,
    "since" INTEGER NOT NULL,
    "expires" INTEGER
) STRICT;
CREATE TRIGGER states_no_update BEFORE UPDATE ON states
BEGIN SELECT RAISE(ABORT, 'states is append-only'); END;
CREATE TRIGGER states_no_delete BEFORE DELETE ON states
BEGIN SELECT RAISE(ABORT, 'states is append-only'); END;

CREATE TABLE book (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    "fills" INTEGER NOT NULL,
    "state" BLOB NOT NULL,
    "ts" INTEGER NOT NULL,
    "wall" INTEGER NOT NULL
) STRICT;

CREATE TABLE equity (
    id INTEGER PRIMARY KEY,
    "run_id" TEXT NOT NULL,
    "equity" INTEGER NOT NULL,
    "cash" INTEGER NOT NULL,
    "positions" INTEGER NOT NULL,
    "day_peak" INTEGER NOT NULL,
    "ts" INTEGER NOT NULL,
    "wall" INTEGER NOT NULL
) STRICT;
CREATE TRIGGER equity_no_update BEFORE UPDATE ON equity
BEGIN SELECT RAISE(ABORT, 'equity is append-only'); END;
CREATE TRIGGER equity_no_delete BEFORE DELETE ON equity
BEGIN SELECT RAISE(ABORT, 'equity is append-only'); END;

CREATE TABLE jobs (
    id INTEGER PRIMARY KEY,
    "job_id" TEXT NOT NULL UNIQUE,
    "name" TEXT NOT NULL,
    "due" INTEGER NOT NULL,
    "started" INTEGER,
    "ended" INTEGER,
    "status" TEXT NOT NULL,
    "detail" TEXT NOT NULL
) STRICT;
CREATE TRIGGER jobs_no_delete BEFORE DELETE ON jobs
BEGIN SELECT RAISE(ABORT, 'jobs is kept'); END;

CREATE TABLE marks (
    id INTEGER PRIMARY KEY,
    "key" TEXT NOT NULL UNIQUE,
    "value" TEXT NOT NULL
) STRICT;

CREATE INDEX orders_open ON orders (id) WHERE state IN ('INTENT', 'UNKNOWN', 'WORKING');
CREATE INDEX orders_number ON orders (CAST(substr(order_id, length(rtrim(order_id, '0123456789')) + 1) AS INTEGER));
CREATE INDEX orders_ts ON orders (ts);
CREATE INDEX order_events_order ON order_events (order_id);
CREATE INDEX fills_order ON fills (order_id);
CREATE INDEX fills_ts ON fills (ts);
CREATE INDEX fills_position ON fills (symbol, side, quantity);
CREATE INDEX fills_entry ON fills (symbol) WHERE purpose = 'ENTRY';
CREATE INDEX trips_ts ON trips (ts_closed);
CREATE INDEX signals_ts ON signals (ts);
CREATE INDEX decisions_ts ON decisions (ts);
CREATE INDEX equity_ts ON equity (ts);
CREATE INDEX states_scope ON states (scope, name);

CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    prev_hash TEXT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    wall INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    pid INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TABLE audit_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    number INTEGER NOT NULL,
    hash TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'audit is append-only'); END;
