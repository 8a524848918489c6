ALTER TABLE kafka_offsets ADD COLUMN mapping integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN kafka_offsets.mapping IS 'Every record of this partition that ingest sent by fewer partitions than this (header ingest.partitions) is applied, and Kafka has its events: those sent by so many may follow, here and in all others';
