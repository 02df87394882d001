-- Times are milliseconds since the Unix epoch, by the database's clock unless noted. Amounts are in satoshi.

CREATE TABLE strike_orders (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The shop's own name of the order.
    name TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('placing', 'pending', 'paid', 'expired', 'failed')),
    -- What was ordered last. A renewal may change it.
    satoshi BIGINT NOT NULL,
    description TEXT NOT NULL,
    customer_id TEXT,
    expiry_sec BIGINT,
    -- The attempt whose invoice is shown, counted from 1: the newest, or the one that was paid.
    attempt BIGINT NOT NULL,
    placed_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX strike_orders_by_state ON strike_orders (state, id);
CREATE INDEX strike_orders_pending ON strike_orders (placed_at) WHERE state = 'pending';

-- One row for each running instance. After its lease has lapsed, others take its charges, and remove the row.
CREATE TABLE strike_leases (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    renewed_at BIGINT NOT NULL,
    lapses_at BIGINT NOT NULL,
    -- How many charges the instance watches, and the most that it can watch.
    held BIGINT NOT NULL,
    capacity BIGINT NOT NULL
);

-- One row for each invoice of an order.
CREATE TABLE strike_charges (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id BIGINT NOT NULL REFERENCES strike_orders (id),
    attempt BIGINT NOT NULL,
    begun_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('creating', 'pending', 'paid', 'expired', 'failed')),
    satoshi BIGINT NOT NULL,
    -- Known once the charge exists. The expiry is by the host's clock.
    charge_id TEXT UNIQUE,
    payment_request TEXT,
    expires_at BIGINT,
    -- Everything that is known of the charge, as JSON: the order key while it is created, then the charge.
    mirror TEXT NOT NULL,
    -- While it is created: who creates it, and when another instance may take over.
    claim TEXT,
    claim_until BIGINT,
    create_error TEXT,
    -- While it is pending: the instance that watches it. A foreign key would read the whole table when a
    -- lease is removed. The desk locks a lease before it gives it a charge, and before it removes it.
    lease_id BIGINT,
    -- After it ended unpaid: when to look for a late payment next.
    check_at BIGINT,
    -- An end that the handler could not handle yet.
    found TEXT CHECK (found IN ('paid', 'expired', 'failed')),
    reason TEXT,
    handler_failures BIGINT NOT NULL DEFAULT 0,
    handler_error TEXT,
    handler_retry_at BIGINT,
    ended_at BIGINT,
    UNIQUE (order_id, attempt)
);
CREATE INDEX strike_charges_creating ON strike_charges (claim_until) WHERE state = 'creating';
CREATE INDEX strike_charges_unheld ON strike_charges (begun_at) WHERE state = 'pending' AND lease_id IS NULL AND found IS NULL;
CREATE INDEX strike_charges_held ON strike_charges (lease_id, begun_at) WHERE lease_id IS NOT NULL;
CREATE INDEX strike_charges_late ON strike_charges (check_at) WHERE check_at IS NOT NULL;
CREATE INDEX strike_charges_retry ON strike_charges (handler_retry_at) WHERE handler_retry_at IS NOT NULL;

-- Charges that a webhook named and that no instance has read since.
CREATE TABLE strike_hints (
    charge_id TEXT PRIMARY KEY,
    received_at BIGINT NOT NULL
);

-- Every end that a handler has handled, once.
CREATE TABLE strike_ends (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- The place in the order of the commits. A reader sets it, because ids are given before the commit.
    position BIGINT UNIQUE,
    charge BIGINT NOT NULL REFERENCES strike_charges (id),
    kind TEXT NOT NULL CHECK (kind IN ('paid', 'paid_again', 'expired', 'failed')),
    told_at BIGINT NOT NULL,
    reason TEXT
);
CREATE INDEX strike_ends_without_position ON strike_ends (id) WHERE position IS NULL;
CREATE INDEX strike_ends_by_time ON strike_ends (kind, told_at);
