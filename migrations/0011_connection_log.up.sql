-- What was the outbox of connection.events stays for 24 hours, for those who listen; how far Kafka was told is a place.

-- Five segments of eight hours, in a ring: one is written, three are kept, one is empty. What is old is truncated, not deleted.
CREATE FUNCTION connection_log_segment(at timestamptz) RETURNS smallint
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
  RETURN (extract(epoch FROM at)::bigint / 28800 % 5)::smallint;
COMMENT ON FUNCTION connection_log_segment IS 'The segment of connection_log that is written at this time';

CREATE TABLE connection_log (
  segment        smallint NOT NULL DEFAULT connection_log_segment(now()),
  xid            xid8 NOT NULL DEFAULT pg_current_xact_id(),
  written_at     timestamptz NOT NULL DEFAULT now(),
  log_generation integer NOT NULL,
  log_partition  integer NOT NULL,
  first_offset   bigint NOT NULL,
  last_offset    bigint NOT NULL,
  events         text NOT NULL
) PARTITION BY LIST (segment);

-- The faster of the two compressions, where this PostgreSQL has it.
DO $$ BEGIN
  ALTER TABLE connection_log ALTER COLUMN events SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;

COMMENT ON TABLE connection_log IS 'Events of committed changes of connections, for 24 hours and until Kafka has confirmed them. Rows of transactions that had all ended when a reader looked (xid below pg_snapshot_xmin) never get company before them: whoever reads those by (xid, log_partition, last_offset) misses nothing.';
COMMENT ON COLUMN connection_log.segment IS 'Which table it is in: connection_log_segment.';
COMMENT ON COLUMN connection_log.xid IS 'The transaction that changed the connections.';
COMMENT ON COLUMN connection_log.written_at IS 'When that began.';
COMMENT ON COLUMN connection_log.log_generation IS 'Position of the records that caused them: kafka_offsets.generation.';
COMMENT ON COLUMN connection_log.log_partition IS 'Position of the records that caused them: partition of device.control.';
COMMENT ON COLUMN connection_log.first_offset IS 'Offset of the record that caused the first of them.';
COMMENT ON COLUMN connection_log.last_offset IS 'Offset of the record that caused the last of them.';
COMMENT ON COLUMN connection_log.events IS 'One a line, with tabs between: client id, tenant or nothing, online, offline or changed, offset of the record, the CloudEvents JSON. Many in one row, because a row each costs more than the event. Those from before migration 0011 have client id and JSON only.';

-- For readers by xid; and for what Kafka was not told, by partition.
CREATE INDEX connection_log_by_xid ON connection_log (xid, log_partition, last_offset);
CREATE INDEX connection_log_by_position ON connection_log (log_partition, log_generation, first_offset);

-- A segment is truncated before it gets old enough to need a vacuum; rows that were only inserted are not worth an earlier one.
DO $$ BEGIN
  FOR segment IN 0..4 LOOP
    EXECUTE format('CREATE TABLE connection_log_%s PARTITION OF connection_log FOR VALUES IN (%s)'
      ' WITH (autovacuum_vacuum_insert_threshold = -1, toast.autovacuum_vacuum_insert_threshold = -1)', segment, segment);
  END LOOP;
END $$;

CREATE TABLE connection_log_segments (
  segment   smallint PRIMARY KEY,
  forgotten xid8 NOT NULL DEFAULT '0'
);
COMMENT ON TABLE connection_log_segments IS 'The segments of connection_log.';
COMMENT ON COLUMN connection_log_segments.segment IS 'connection_log.segment.';
COMMENT ON COLUMN connection_log_segments.forgotten IS 'The newest connection_log.xid that was ever truncated away: who stands before it has missed some.';
INSERT INTO connection_log_segments (segment) SELECT generate_series(0, 4);

-- Nearly always updated in place.
CREATE TABLE connection_log_told (
  log_partition  integer PRIMARY KEY,
  log_generation integer NOT NULL,
  first_offset   bigint NOT NULL
) WITH (fillfactor = 10, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE connection_log_told IS 'How far Kafka has confirmed connection_log: of each partition up to and with this row.';
COMMENT ON COLUMN connection_log_told.log_partition IS 'connection_log.log_partition.';
COMMENT ON COLUMN connection_log_told.log_generation IS 'connection_log.log_generation.';
COMMENT ON COLUMN connection_log_told.first_offset IS 'connection_log.first_offset.';

INSERT INTO connection_log (log_generation, log_partition, first_offset, last_offset, events)
SELECT log_generation, log_partition, first_offset, last_offset, events FROM connection_events_outbox;
DROP TABLE connection_events_outbox;

-- A partition that has events has an offset: both come in one transaction. OFFSET 0 keeps it a range of the index for each partition.
CREATE VIEW connection_events_outbox AS
  SELECT l.* FROM (SELECT DISTINCT partition FROM kafka_offsets) AS p
  LEFT JOIN connection_log_told t ON t.log_partition = p.partition
  CROSS JOIN LATERAL (
    SELECT * FROM connection_log l WHERE l.log_partition = p.partition
      AND (l.log_generation, l.first_offset) > (coalesce(t.log_generation, 0), coalesce(t.first_offset, -1)) OFFSET 0) AS l;
COMMENT ON VIEW connection_events_outbox IS 'What of connection_log Kafka has not confirmed yet; the owner of the partition publishes it in the order of the log.';
