ALTER TABLE kafka_offsets DROP COLUMN mapping;
