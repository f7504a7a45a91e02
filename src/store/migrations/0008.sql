-- Who leads one of our people, where and how much they work, since when and until when. Files gave these before and the rows had no place
-- for them: the records are merged again.
ALTER TABLE person ADD COLUMN manager INTEGER;
ALTER TABLE person ADD COLUMN region TEXT;
ALTER TABLE person ADD COLUMN capacity_hours REAL;
ALTER TABLE person ADD COLUMN start TEXT;
ALTER TABLE person ADD COLUMN "end" TEXT;
UPDATE source_record SET dirty=1 WHERE entity='person';
