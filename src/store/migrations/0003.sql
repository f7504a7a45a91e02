-- A first load writes rows faster than the figures about their accounts can follow: these accounts are still to be looked at, and what
-- of them (see `part` in rows.rs).
CREATE TABLE unsettled (account INTEGER PRIMARY KEY, parts INTEGER NOT NULL);

-- The stream's first load is under way: what its next pages hold is not here yet.
ALTER TABLE stream_state ADD COLUMN loading INTEGER NOT NULL DEFAULT 0;
