-- The first format. Days are ISO 8601 text, instants are whole microseconds since 1970 UTC, amounts are minor units beside their
-- ISO 4217 code, local ids are whole numbers unique within their kind. Migrations are only ever added, never changed.

-- Counters: `seq` grows with every change of a merged row; `id:account` and so on give the next local id of a kind.
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('seq', 0);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- What each vendor said, in canonical fields. dirty: 0 merged, 1 to be merged, 2 handed out to be merged.
CREATE TABLE source_record (
    id INTEGER PRIMARY KEY,
    source TEXT NOT NULL,
    entity TEXT NOT NULL,
    external_id TEXT NOT NULL,
    stream TEXT,
    modified INTEGER,
    deleted INTEGER NOT NULL DEFAULT 0,
    fields TEXT NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0,
    dirty INTEGER NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX source_record_key ON source_record (source, entity, external_id);
CREATE INDEX source_record_dirty ON source_record (entity) WHERE dirty > 0;

-- Whose record is it.
CREATE TABLE crosswalk (
    source TEXT NOT NULL,
    entity TEXT NOT NULL,
    external_id TEXT NOT NULL,
    local INTEGER NOT NULL,
    how TEXT NOT NULL,
    PRIMARY KEY (source, entity, external_id)
) WITHOUT ROWID;
CREATE INDEX crosswalk_local ON crosswalk (entity, local);

CREATE TABLE unmatched (
    source TEXT NOT NULL,
    entity TEXT NOT NULL,
    external_id TEXT NOT NULL,
    name TEXT NOT NULL,
    local INTEGER NOT NULL,
    candidate INTEGER,
    reason TEXT NOT NULL,
    PRIMARY KEY (source, entity, external_id)
) WITHOUT ROWID;
CREATE INDEX unmatched_local ON unmatched (local);

-- A record that refers to one which is not there yet is merged again when that one comes.
CREATE TABLE waiting (
    for_source TEXT NOT NULL,
    for_entity TEXT NOT NULL,
    for_id TEXT NOT NULL,
    source TEXT NOT NULL,
    entity TEXT NOT NULL,
    external_id TEXT NOT NULL,
    PRIMARY KEY (for_source, for_entity, for_id, source, entity, external_id)
) WITHOUT ROWID;

-- Merged rows. The account carries figures from its other rows, so that a Book need not hold those.
CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    name TEXT NOT NULL,
    domain TEXT,
    parent INTEGER,
    segment TEXT,
    touch TEXT,
    csm INTEGER,
    owner INTEGER,
    region TEXT,
    industry TEXT,
    stage TEXT,
    arr INTEGER,
    arr_currency TEXT,
    start TEXT,
    renewal TEXT,
    notice_days INTEGER,
    auto_renew INTEGER,
    health INTEGER,
    health_at TEXT,
    sentiment TEXT,
    nps INTEGER,
    snoozed_until TEXT,
    acked_at INTEGER,
    acked_by TEXT,
    resolved_at INTEGER,
    resolved_reasons TEXT,
    outcome TEXT,
    level TEXT,
    tags TEXT,
    usage BLOB,
    usage_at TEXT,
    usage_source TEXT,
    health_before INTEGER,
    health_source TEXT,
    open_tickets INTEGER NOT NULL DEFAULT 0,
    urgent_tickets INTEGER NOT NULL DEFAULT 0,
    ticket_at TEXT,
    ticket_source TEXT,
    last_touch TEXT,
    sponsor_left TEXT,
    contact_source TEXT,
    nps_at TEXT,
    nps_source TEXT,
    open_renewal INTEGER,
    open_escalation INTEGER,
    changed_at INTEGER,
    -- The newest values of the account's signals, for where its own record has none.
    signal_health INTEGER,
    signal_health_at TEXT,
    signal_nps INTEGER
);
CREATE INDEX account_seq ON account (seq);
CREATE INDEX account_domain ON account (domain);
CREATE INDEX account_name ON account (name COLLATE NOCASE);

CREATE TABLE contact (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, account INTEGER,
    name TEXT NOT NULL, title TEXT, email TEXT, phone TEXT, role TEXT, active INTEGER, left_at TEXT
);
CREATE INDEX contact_account ON contact (account);
CREATE INDEX contact_email ON contact (email COLLATE NOCASE);

CREATE TABLE person (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, name TEXT NOT NULL, email TEXT, role TEXT, active INTEGER
);
CREATE INDEX person_seq ON person (seq);
CREATE INDEX person_email ON person (email COLLATE NOCASE);

CREATE TABLE renewal (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, account INTEGER,
    name TEXT NOT NULL, due TEXT, original_due TEXT, notice_deadline TEXT,
    amount INTEGER, amount_currency TEXT, target INTEGER, target_currency TEXT,
    stage TEXT, stage_kind TEXT, forecast TEXT, probability INTEGER, owner INTEGER,
    outcome TEXT, closed TEXT, next_step TEXT
);
CREATE INDEX renewal_seq ON renewal (seq);
CREATE INDEX renewal_account ON renewal (account);

CREATE TABLE task (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, account INTEGER,
    title TEXT NOT NULL, description TEXT, due TEXT, priority TEXT, priority_kind TEXT, owner INTEGER,
    status TEXT, status_kind TEXT, kind TEXT, completed_at INTEGER, escalation INTEGER
);
CREATE INDEX task_seq ON task (seq);
CREATE INDEX task_account ON task (account);

CREATE TABLE ticket (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, account INTEGER,
    number TEXT, subject TEXT NOT NULL, status TEXT, status_kind TEXT, priority TEXT, priority_kind TEXT,
    escalated INTEGER, opened INTEGER, closed INTEGER, owner INTEGER
);
CREATE INDEX ticket_account ON ticket (account);

CREATE TABLE escalation (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, account INTEGER,
    title TEXT NOT NULL, reason TEXT, status TEXT, status_kind TEXT, priority TEXT, priority_kind TEXT, owner INTEGER,
    opened INTEGER, due TEXT, closed INTEGER, outcome TEXT, comments TEXT
);
CREATE INDEX escalation_seq ON escalation (seq);
CREATE INDEX escalation_account ON escalation (account);

CREATE TABLE touchpoint (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, account INTEGER,
    kind TEXT, subject TEXT NOT NULL, body TEXT, at INTEGER, author INTEGER, contact INTEGER
);
CREATE INDEX touchpoint_account ON touchpoint (account, at);

CREATE TABLE signal (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, account INTEGER,
    kind TEXT NOT NULL, at TEXT, value REAL, unit TEXT, text TEXT
);
CREATE INDEX signal_account ON signal (account, kind, at);

CREATE TABLE rate (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, "from" TEXT NOT NULL, "to" TEXT NOT NULL, rate REAL, at TEXT
);

-- Tenant's own fields and where each value came from, apart so that loading a Book does not read them.
CREATE TABLE row_extra (
    entity TEXT NOT NULL,
    id INTEGER NOT NULL,
    account INTEGER,
    extra TEXT,
    provenance TEXT,
    PRIMARY KEY (entity, id)
) WITHOUT ROWID;

-- Rows that left, so that a Book can follow.
CREATE TABLE removed (entity TEXT NOT NULL, id INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (entity, id)) WITHOUT ROWID;
CREATE INDEX removed_seq ON removed (seq);

-- Where streams stand, how runs went, what could not be taken.
CREATE TABLE stream_state (
    source TEXT NOT NULL, stream TEXT NOT NULL, cursor TEXT, rows INTEGER NOT NULL DEFAULT 0, updated INTEGER,
    PRIMARY KEY (source, stream)
) WITHOUT ROWID;
CREATE TABLE sync_run (
    run INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, "full" INTEGER NOT NULL, started INTEGER NOT NULL,
    finished INTEGER, changed INTEGER NOT NULL DEFAULT 0, requests INTEGER NOT NULL DEFAULT 0, error TEXT
);
CREATE TABLE source_status (source TEXT PRIMARY KEY, status TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE problem (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, stream TEXT NOT NULL, entity TEXT NOT NULL, external_id TEXT,
    reason TEXT NOT NULL, at INTEGER NOT NULL
);
CREATE INDEX problem_stream ON problem (source, stream);

-- What people did: append-only. Taken back is whatever a later operation names in `undoes`.
CREATE TABLE operation_log (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, device TEXT NOT NULL,
    command TEXT NOT NULL, summary TEXT NOT NULL, at INTEGER NOT NULL, who TEXT NOT NULL, changes TEXT NOT NULL, undoes TEXT
);
CREATE INDEX operation_undoes ON operation_log (undoes) WHERE undoes IS NOT NULL;

-- What is to be sent. `place` is the change's place in its operation; `superseded_by` the item that took this one's place in its grace.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, operation TEXT NOT NULL, place INTEGER NOT NULL,
    command TEXT NOT NULL, source TEXT NOT NULL, entity TEXT NOT NULL, target INTEGER NOT NULL, account INTEGER NOT NULL,
    verb TEXT NOT NULL, change TEXT NOT NULL, external_id TEXT, state TEXT NOT NULL, attempts INTEGER NOT NULL,
    next_attempt INTEGER NOT NULL, error TEXT, conflict TEXT, created INTEGER NOT NULL, finished INTEGER, superseded_by TEXT
);
CREATE INDEX outbox_operation ON outbox (operation);
CREATE INDEX outbox_pending ON outbox (entity, target) WHERE finished IS NULL;
CREATE INDEX outbox_account ON outbox (account) WHERE finished IS NULL;
CREATE INDEX outbox_finished ON outbox (finished) WHERE finished IS NOT NULL;
CREATE INDEX outbox_superseded ON outbox (superseded_by) WHERE superseded_by IS NOT NULL;
CREATE TABLE outbox_needs (item TEXT NOT NULL, needs TEXT NOT NULL, PRIMARY KEY (item, needs)) WITHOUT ROWID;
CREATE INDEX outbox_needed ON outbox_needs (needs);

-- What accounts looked like; a row only where something differs from the row before.
CREATE TABLE daily_history (
    account INTEGER NOT NULL, date TEXT NOT NULL, arr INTEGER, arr_currency TEXT, health INTEGER, segment TEXT, csm INTEGER,
    PRIMARY KEY (account, date)
) WITHOUT ROWID;

CREATE TABLE screen_cache (key TEXT PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE draft (
    key TEXT PRIMARY KEY, account INTEGER NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL, at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE visit (who TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
