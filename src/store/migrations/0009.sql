-- A record knows itself which local row it belongs to: a second tree of all vendors' ids, and a third to find them by row, were a
-- quarter of a first load. What a row is called by without there being a record of that id stands in `tie`.
ALTER TABLE source_record ADD COLUMN local INTEGER;
ALTER TABLE source_record ADD COLUMN how TEXT;
UPDATE source_record SET (local,how)=(SELECT c.local,c.how FROM crosswalk c
    WHERE c.source=source_record.source AND c.entity=source_record.entity AND c.external_id=source_record.external_id);
CREATE INDEX source_record_local ON source_record (entity, local) WHERE local IS NOT NULL;

CREATE TABLE tie (
    source TEXT NOT NULL,
    entity TEXT NOT NULL,
    external_id TEXT NOT NULL,
    local INTEGER NOT NULL,
    how TEXT NOT NULL,
    PRIMARY KEY (source, entity, external_id)
) WITHOUT ROWID;
CREATE INDEX tie_local ON tie (entity, local);
INSERT INTO tie SELECT source,entity,external_id,local,how FROM crosswalk c WHERE NOT EXISTS (SELECT 1 FROM source_record s
    WHERE s.source=c.source AND s.entity=c.entity AND s.external_id=c.external_id);
DROP TABLE crosswalk;

-- Both together, for whoever looks into the database by hand.
CREATE VIEW crosswalk AS
    SELECT source,entity,external_id,local,how FROM source_record WHERE local IS NOT NULL
    UNION ALL SELECT source,entity,external_id,local,how FROM tie;
